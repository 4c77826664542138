export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The event that asks for it: the same for a mail that is sent again. */
  readonly eventId?: string;
}

/** Sends mail. Rejects where it was not taken; its event then comes again. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
}
