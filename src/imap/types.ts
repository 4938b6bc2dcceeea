/** Everything that IMAP talks about, as plain readonly data. */
export type * from "./types-command.js";
export type * from "./types-message.js";
export type * from "./types-response.js";
