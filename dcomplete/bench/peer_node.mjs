// llama.cpp through node-llama-cpp: `node peer_node.mjs MODEL.gguf PROMPT.txt THREADS REPEATS` prints one JSON line.
// Run it in a folder with node-llama-cpp installed.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const require = createRequire(process.cwd() + "/");
const {getLlama, LlamaLogLevel} = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const [modelPath, promptPath, threadText, repeatText] = process.argv.slice(2);
const threads = +threadText, repeats = +repeatText;
const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath, gpuLayers: 0});
const context = await model.createContext({contextSize: 2048, batchSize: 1024, threads});
const sequence = context.getSequence();
const tokens = model.tokenize(readFileSync(promptPath, "utf8"));

// Evaluate the prompt (all of it if cold, else its last token) and generate `count` tokens.
async function run(count, cold) {
    if (cold) await sequence.clearHistory();
    else if (sequence.nextTokenIndex > tokens.length - 1)
        await sequence.eraseContextTokenRanges([{start: tokens.length - 1, end: sequence.nextTokenIndex}]);
    const start = performance.now();
    let made = 0;
    for await (const _ of sequence.evaluate(cold ? tokens : tokens.slice(-1), {temperature: 0, yieldEogToken: true}))
        if (++made >= count) break;
    return {ms: performance.now() - start, made};
}

const out = {engine: "node-llama-cpp", prompt_tokens: tokens.length};
await run(1, true);
for (const [name, count, cold] of [["cold", 1, true], ["warm10", 10, false], ["warm32", 32, false]]) {
    const times = [];
    let made = count;
    await run(count, cold);
    for (let i = 0; i < repeats; i++) {
        const one = await run(count, cold);
        times.push(one.ms);
        made = Math.min(made, one.made);
    }
    out[name] = {times, tokens: made};
}
console.log(JSON.stringify(out));
process.exit(0);
