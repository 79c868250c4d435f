import { ConfigurationError, LATE, readNumber, within } from '../../chassis/index.ts';
import type { Environment } from '../../chassis/index.ts';
import { textOf } from './templates.ts';
import type { Message } from './messages.ts';

/** Hands messages to a mail server. */
export interface Mailer {
  /** Where it hands them to, without secrets. */
  readonly server: string;
  /** How long an attempt may take, in ms. A process that has had a message for twice as long is taken for dead. */
  readonly timeoutMs: number;
  /** @throws MailRefused, or what else went wrong: then it may be accepted another time */
  send(message: Message): Promise<void>;
  close(): void;
}

/** The mail server takes this message, or mail for this address, never. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

const CUSTOMER = '{customer}';
const TIMEOUT_MS = 30_000;

function readSettings(env: Environment): { url: URL; from: string; to: string } | undefined {
  const given = env['SMTP_URL'];
  if (!given) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    throw new ConfigurationError(
      'SMTP_URL is no address of a mail server; give smtp://user:password@host:port, or smtps:// for TLS',
    );
  }
  const { SMTP_FROM: from = '', SMTP_TO: to = '' } = env;
  if (!from.includes('@')) {
    throw new ConfigurationError('SMTP_FROM is not set; give the address that messages come from');
  }
  if (!to.includes(CUSTOMER) || !to.includes('@')) {
    throw new ConfigurationError(
      `SMTP_TO is not set; give the form of a customer's address, such as ${CUSTOMER}@customers.example`,
    );
  }
  return { url, from, to };
}

/**
 * A mailer by SMTP_URL, SMTP_FROM and SMTP_TO; undefined without SMTP_URL.
 * @throws ConfigurationError when they make no sense
 */
export async function openMailer(env: Environment): Promise<Mailer | undefined> {
  const settings = readSettings(env);
  if (!settings) return undefined;
  const { url, from, to } = settings;
  const timeoutMs = readNumber(env, 'SMTP_TIMEOUT_MS', TIMEOUT_MS);
  // Loaded here only: without a mail server it is not needed.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url: url.href,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  return {
    server: url.host,
    timeoutMs,
    async send(message) {
      try {
        const sending = transport.sendMail({
          from,
          // A message that is sent twice, since a crash has hidden the first time, has one id.
          messageId: `<${message.id}@${url.hostname}>`,
          to: to.replace(CUSTOMER, () => message.customerId),
          ...textOf(message.template, message.orderId),
        });
        if ((await within(timeoutMs, sending)) === LATE) throw new Error('no answer in time');
      } catch (error) {
        const { code, responseCode = 0, message: said } = error as MailError;
        const isAboutMessage = code === 'EENVELOPE' || code === 'EMESSAGE';
        if (isAboutMessage && responseCode >= 500) throw new MailRefused(said, { cause: error });
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

/** As nodemailer throws it; `responseCode` is that of SMTP. */
interface MailError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}
