import type { PageModel } from './frame.js';

export type ShareModel = {
  id: string;
  about: 'session' | 'lora';
  name: string;
  created_at: string;
  expires_at: string;
  path: string;
  url: string | null;
};

export type SharesModel = PageModel & {
  shares: ShareModel[];
  /** Is there a login? Without one nobody else reaches this page. */
  login: boolean;
  sessions: string[];
  loras: string[];
  chosen: string;
};

export type SharesView = ReturnType<typeof sharesView>;

export function sharesView({ root, shares, login, sessions, loras, chosen }: SharesModel) {
  return {
    login,
    sessions: sessions.map((name) => ({ name, chosen: name === chosen })),
    loras,
    shares: shares.map(({ id, about, name, expires_at, path, url }) => ({
      name: about === 'lora' ? `LoRA ${name}, all versions` : name,
      expires: expires_at,
      href: `${root}${path}`,
      url,
      revoke: `${root}shares/${id}?_method=DELETE`,
    })),
  };
}
