export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mail. Rejects where it was not taken; the outbox then tries again. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
}
