/** What a server offers, and the choices that go with it: CAPA (RFC 2449), UTF8 and LANG (RFC 6856). */
import { serverMechanisms } from "../sasl/index.js";
import { formatCapabilities } from "./codec-capa.js";
import { formatLanguage } from "./codec-lists.js";
import type { Conversation } from "./server-conversation.js";
import { takesPasswords } from "./server-login.js";

/** Each capability: its arguments, or `undefined` where it is not offered now. */
const offers: Readonly<Record<string, (conversation: Conversation) => string | undefined>> = {
  TOP: ({ settings }) => when(settings.handler.top !== undefined),
  UIDL: ({ settings }) => when(settings.handler.uidl !== undefined),
  USER: (conversation) => when(takesPasswords(conversation)),
  SASL: ({ settings, link }) => serverMechanisms(settings.accounts, link).join(" ") || undefined,
  STLS: ({ settings, channel, state }) =>
    when(settings.tls !== undefined && channel.tls === undefined && state === "authorization"),
  PIPELINING: () => "",
  "RESP-CODES": () => "",
  "AUTH-RESP-CODE": () => "",
  EXPIRE: ({ settings }) => settings.expireDays?.toString().toUpperCase(),
  "LOGIN-DELAY": ({ settings }) => settings.loginDelaySeconds?.toString(),
  UTF8: ({ settings }) => (settings.handler.utf8 === undefined ? undefined : "USER"),
  LANG: ({ settings }) => when((settings.handler.languages?.length ?? 0) > 0),
  IMPLEMENTATION: ({ settings }) => settings.implementation || undefined,
};

function when(offered: boolean): string | undefined {
  return offered ? "" : undefined;
}

/** Whether a capability is offered to this client in this state. */
export function offersNow(conversation: Conversation, keyword: string): boolean {
  return !conversation.settings.hide.has(keyword) && offers[keyword]?.(conversation) !== undefined;
}

export async function capa(conversation: Conversation): Promise<void> {
  const keywords = new Map<string, string>();
  for (const [keyword, offer] of Object.entries(offers)) {
    const text = conversation.settings.hide.has(keyword) ? undefined : offer(conversation);
    if (text !== undefined) keywords.set(keyword, text);
  }
  const lines = formatCapabilities(keywords).map((line) => `${line}\r\n`);
  await conversation.list("capabilities follow", lines);
}

export async function utf8(conversation: Conversation): Promise<void> {
  await conversation.ask(() => conversation.settings.handler.utf8?.(conversation));
  conversation.utf8 = true;
  await conversation.ok("UTF8 it is");
}

/** RFC 6856 section 3: without a tag, the list; with `*`, the server's own choice. */
export async function lang(conversation: Conversation, argument: string): Promise<void> {
  const { languages = [] } = conversation.settings.handler;
  if (argument === "")
    return await conversation.list(
      "languages follow",
      languages.map((each) => `${formatLanguage(each)}\r\n`),
    );
  const wanted = argument.toLowerCase();
  const found = languages.find(({ tag }) => wanted === "*" || tag.toLowerCase() === wanted);
  if (found === undefined) return await conversation.refuse("this language is not spoken here");
  conversation.language = wanted === "*" ? undefined : found.tag;
  await conversation.ok(`${found.tag} ${found.description}`);
}
