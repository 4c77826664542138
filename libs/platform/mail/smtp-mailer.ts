import { createTransport, type Transporter } from 'nodemailer';
import { currentCall } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { inClientSpan, type SpanDescription } from '../telemetry/tracer.js';
import { Mailer, type Mail } from './mailer.port.js';

/** Sends over SMTP, until the deadline of the call at the latest; a `smtps:` URL means TLS from the start, `smtp:` upgrades by STARTTLS. */
export class SmtpMailer extends Mailer {
  private readonly transport: Transporter;

  /** `requiresTls`: else whoever is on the way can make the connection stay in clear text. */
  constructor(
    private readonly url: string,
    private readonly from: string,
    requiresTls: boolean,
  ) {
    super();
    // Together less than the lease of an event: no other process sends the same mail meanwhile.
    this.transport = createTransport({
      url: withoutTlsParameters(url),
      requireTLS: requiresTls,
      connectionTimeout: 5000,
      greetingTimeout: 5000,
      socketTimeout: 10_000,
    });
  }

  /** No `Message-ID` by the event: a repetition has another link, so it must not be dropped as a duplicate. */
  async send({ eventId, ...mail }: Mail): Promise<void> {
    const headers = eventId === undefined ? {} : { 'X-Event-Id': eventId };
    const deadline = currentCall()?.deadline ?? Deadline.none;
    await inClientSpan(
      () => describeSending(this.url),
      () =>
        deadline.withSignal((signal) =>
          this.transport.sendMail({ ...mail, headers, from: this.from, signal }),
        ),
    );
  }
}

/** Parameters of the URL would take precedence. */
function withoutTlsParameters(given: string): string {
  const url = new URL(given);
  for (const name of ['requireTLS', 'ignoreTLS', 'opportunisticTLS', 'secure']) url.searchParams.delete(name);
  return url.href;
}

function describeSending(url: string): SpanDescription {
  const { hostname, port } = new URL(url);
  const attributes = { 'network.protocol.name': 'smtp', 'server.address': hostname };
  return {
    name: 'SMTP send',
    attributes: port === '' ? attributes : { ...attributes, 'server.port': Number(port) },
  };
}
