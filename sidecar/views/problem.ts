export type ProblemModel = {
  root: string;
  status: number;
  code: string;
  /** What happened, what was not lost, what to do. */
  message: string;
  /** Where to go from here, relative to the site's root. */
  link?: string | undefined;
};

export type ProblemView = Omit<ProblemModel, 'link'> & { target: Target | null };

/** Where to go from a problem, relative to the site's root, and what that is called. */
export type Target = { path: string; name: string };

export function problemView({ link, ...problem }: ProblemModel): ProblemView {
  return { ...problem, target: targetOf(link) };
}

/** Null where it is the list of all sessions, to which every page leads. */
export function targetOf(link: string | undefined): Target | null {
  return link === undefined || link === '' || link === 'sessions' ? null : { path: link, name: nameOf(link) };
}

/** As the page itself is headed. */
function nameOf(link: string): string {
  const [room = '', name = '', part] = (link.split(/[?#]/)[0] ?? '').split('/');
  if (name === '') return ROOMS[room] ?? room;
  return part === 'history' ? `History of ${readable(name)}` : readable(name);
}

const ROOMS: Record<string, string> = {
  new: 'New training',
  datasets: 'Datasets',
  models: 'Models',
  secrets: 'Secrets',
  trainers: 'Trainers',
};

function readable(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
