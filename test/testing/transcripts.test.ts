import { Secret } from "../../src/core/secret.js";
import { CommandChannel } from "../../src/engine/command-channel.js";
import { FaultPlan } from "../../src/engine/faults.js";
import { ServerChannel } from "../../src/engine/server-channel.js";
import type { Transport } from "../../src/transport/types.js";
import { commandLine } from "../../src/wire/command-line.js";
import { formatReplyLines, parseReplyLine, type ReplyLine } from "../../src/wire/reply.js";
import { line } from "../engine/support.js";
import { testTranscripts } from "../transcripts.js";

/** A client and a server of a toy protocol, just enough for the helper to be seen at work. */
async function client(transport: Transport): Promise<void> {
  const channel = new CommandChannel<ReplyLine[]>(transport, {
    protocol: "toy",
    replyDecoder: () => {
      const lines: ReplyLine[] = [];
      return (queue, limits) => {
        for (;;) {
          const bytes = queue.takeLine(limits.maxLineBytes);
          if (bytes === undefined) return undefined;
          const parsed = parseReplyLine(bytes, "toy");
          lines.push(parsed);
          if (!parsed.continues) return lines;
        }
      };
    },
    show: (lines) => lines.map(({ code, text }) => `${code} ${text}`),
  });
  await channel.reply();
  await channel.call(commandLine("PASS", new Secret("tiger")));
  await channel.call(commandLine("DATA"));
  await channel.sendBody("Subject: hello\n# still the body\n\n.a line with a dot, and a byte\0\n", undefined);
  await channel.reply();
  await channel.call(commandLine("QUIT"));
  await channel.close();
}

async function serve(transport: Transport): Promise<void> {
  const channel = new ServerChannel("toy", transport, { faults: new FaultPlan() });
  await channel.reply(formatReplyLines(220, ["ready at noon …"]));
  for (let command = ""; command !== "QUIT"; ) {
    command = await channel.receive(line);
    if (command.startsWith("PASS ")) await channel.reply(formatReplyLines(250, ["in"]));
    if (command === "QUIT") await channel.reply(formatReplyLines(221, ["bye"]));
    if (command !== "DATA") continue;
    await channel.reply(formatReplyLines(354, ["go on"]));
    await channel.body().bytes();
    await channel.reply(formatReplyLines(250, ["got it", "18 bytes!"]));
  }
  await channel.hangUp();
}

testTranscripts("testing", { clients: { greeting: client }, serve, options: { secrets: ["tiger"] } });
