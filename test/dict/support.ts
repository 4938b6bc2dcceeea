/** What the tests of the DICT example share. */
import { type DictHandler, memoryHandler } from "../../examples/dict/index.js";

export const handler: DictHandler = memoryHandler({
  sea: {
    title: "Words of the sea",
    entries: { rope: ["A thick cord."], "round turn": ["Once about."], Grüße: ["Greetings."] },
  },
  food: { title: "What is eaten at sea", entries: { rope: [".5 kg of onions on a string."] } },
});
