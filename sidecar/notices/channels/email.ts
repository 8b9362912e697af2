import type { Channel } from '../channel.js';
import { linked } from '../plainText.js';
import { Undelivered } from '../undelivered.js';

const PATIENCE_MS = 15_000;

/** A mail through a server of one's own, by SMTP. */
export const email: Channel = {
  id: 'email',
  name: 'E-mail',
  what: 'Sends mail through your mail provider. Most providers want an app password, not the one you log in with.',
  fields: [
    { name: 'to', label: 'To', is: 'email', placeholder: 'you@example.com' },
    { name: 'from', label: 'From', is: 'email', placeholder: 'you@example.com' },
    { name: 'host', label: 'Server', placeholder: 'smtp.example.com' },
    { name: 'port', label: 'Port', is: 'port', fallback: '587' },
    {
      name: 'security',
      label: 'Encryption',
      fallback: 'starttls',
      choices: [
        { value: 'starttls', label: 'STARTTLS (port 587)' },
        { value: 'tls', label: 'TLS (port 465)' },
        { value: 'none', label: 'None (a server on this machine)' },
      ],
    },
    { name: 'user', label: 'User', optional: true },
    { name: 'password', label: 'Password', secret: true, optional: true },
  ],
  async send({ to = '', from = '', host = '', port = '', security, user, password }, message) {
    // Large and rarely needed, so loaded for the first mail.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port: Number(port),
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user ? { auth: { user, pass: password ?? '' } } : {}),
      connectionTimeout: PATIENCE_MS,
      greetingTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const { image } = message;
    try {
      await transport.sendMail({
        from: { name: 'Trackside', address: from },
        to,
        subject: message.title,
        text: linked(message),
        // The same for the same notice, so that mail programs show a double once.
        messageId: `<${Buffer.from(message.id).toString('base64url')}@trackside>`,
        date: new Date(message.at),
        headers: { 'Auto-Submitted': 'auto-generated' },
        attachments: image
          ? [{ filename: image.name, content: Buffer.from(image.bytes), contentType: image.type }]
          : [],
      });
    } catch (error) {
      throw inWords(error as MailError);
    } finally {
      transport.close();
    }
  },
};

/** nodemailer.com/errors: a code of its own, and the server's `responseCode`. */
type MailError = Error & { code?: string; responseCode?: number };

/** Codes of 500 and more are for good (RFC 5321 section 4.2.1). The server's own words may hold the address, and no password. */
function inWords({ code, responseCode }: MailError): Undelivered {
  if (code === 'EAUTH') return new Undelivered('The mail server does not accept the user or the password.', false);
  if (code === 'ETLS')
    return new Undelivered('The mail server offers no encryption. Choose another one, or its other port.', false);
  if (responseCode) return new Undelivered(`The mail server answered with ${responseCode}.`, responseCode < 500);
  return new Undelivered(`The mail server can't be reached (${code ?? 'no answer'}).`, true);
}
