/**
 * Run tasks in their order, at most `width` at a time, with output that reads as if they had run in turn: the oldest
 * that runs is shown as it goes; what the others say is held until it is their turn.
 *
 * @param {((say: (text: string | Uint8Array) => void) => Promise<void>)[]} tasks each is given what shows its output
 * @param {number} width
 */
export async function inLanes(tasks, width) {
  const left = [...tasks];
  const outputs = [];
  const show = () => {
    for (let [first] = outputs; first !== undefined; [first] = outputs) {
      for (const text of first.held.splice(0)) process.stdout.write(text);
      if (!first.ended) return;
      outputs.shift();
    }
  };
  const lane = async () => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const output = { held: [], ended: false };
      outputs.push(output);
      await task((text) => {
        output.held.push(text);
        show();
      });
      output.ended = true;
      show();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
