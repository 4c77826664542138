/**
 * Passwords as the OpaqueString profile of RFC 8265 prepares them, so that one is the same from each keyboard: every blank is
 * U+0020, and accents are composed (NFC).
 */
export const preparePassword = (password: string): string =>
  password.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');

/**
 * What the profile allows (FreeformClass of RFC 8264): no control characters, nothing that shows nothing, no conjoining Jamo,
 * nothing that Unicode has not assigned. Joiners may stand between letters, where some languages need them: the rules for
 * their context are not applied.
 */
export const isOpaqueString = (password: string): boolean => opaqueString.test(password);

const opaqueString =
  /^(?:(?![\p{Default_Ignorable_Code_Point}\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7FB])[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]|(?<=[\p{L}\p{M}])[\u200C\u200D](?=[\p{L}\p{M}]))+$/u;
