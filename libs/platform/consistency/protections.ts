/** What keeps reads right. Tests of the consistency checker switch one off at a time, to see that it is missed. */
export const protectionNames = ['mark', 'stamp', 'floor', 'lease', 'replica-position'] as const;
export type Protection = (typeof protectionNames)[number];

export class Protections {
  constructor(private readonly without?: Protection) {}

  isOn(protection: Protection): boolean {
    return protection !== this.without;
  }
}
