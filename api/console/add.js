// Adding texts, pictures and sounds to the open collection.

import { call } from "./api.js";
import { inWords, kinds, state } from "./collections.js";
import { field, kindOf, onDrop } from "./media.js";
import { act, button, find, jsonField, make } from "./page.js";

/** Items in one request, and about how many characters of base64. */
const MOST_ITEMS = 100;
const MOST_CHARACTERS = 16e6;
let chosen = [];

function showChosen() {
	const rows = chosen.map((file) => make("li", "", make("div", "body", file.name, make("span", "meta", ` ${(file.size / 1e3).toFixed(0)} kB`)),
		button("Remove", `Remove ${file.name}`, () => {
			chosen = chosen.filter((other) => other !== file);
			showChosen();
		})));
	find("chosen").replaceChildren(...rows);
}

function choose(files) {
	const refused = files.map((file) => {
		try {
			return kinds().includes(kindOf(file)) ? null : `${file.name}: this collection's model takes ${inWords(kinds())}.`;
		} catch (error) {
			return error.message;
		}
	});
	chosen = chosen.concat(files.filter((_, at) => !refused[at]));
	showChosen();
	const said = refused.filter(Boolean);
	if (said.length) throw new Error(said.join("\n"));
}

/** Group what is to be added into requests; each source is a text or a file. */
async function* requests(sources, metadata) {
	let batch = [];
	let size = 0;
	for (const source of sources) {
		const item = typeof source === "string" ? { text: source, metadata } : { ...(await field(source)), metadata: { file: source.name, ...metadata } };
		const own = JSON.stringify(item).length;
		if (batch.length && (batch.length === MOST_ITEMS || size + own > MOST_CHARACTERS)) {
			yield batch;
			[batch, size] = [[], 0];
		}
		batch.push({ source, item });
		size += own;
	}
	if (batch.length) yield batch;
}

/** Send one request; gives the sources that were not added, with the reasons. */
async function send(batch, count) {
	const path = `collections/${state.collection.id}/index`;
	const name = (source) => (typeof source === "string" ? `"${source.slice(0, 40)}"` : source.name);
	let errors;
	try {
		const report = await call("POST", path, { items: batch.map(({ item }) => item) });
		count.indexed += report.indexed;
		count.tokens += report.usage.input_tokens;
		errors = report.errors ?? [];
	} catch (error) {
		if (!error.errors) throw error;
		errors = error.errors;
	}
	return errors.map(({ index, message }) => ({ source: batch[index].source, said: `${name(batch[index].source)}: ${message}` }));
}

async function add(changed) {
	const metadata = jsonField("metadata", "metadata") ?? {};
	const texts = find("texts").value.split("\n").map((line) => line.trim()).filter(Boolean);
	const sources = [...chosen, ...texts];
	if (!sources.length) throw new Error("There is nothing to add: drop files, or write a text.");
	const bar = find("progress");
	[bar.max, bar.value, bar.hidden] = [sources.length, 0, false];
	const count = { indexed: 0, tokens: 0 };
	const done = new Set();
	const failed = [];
	try {
		for await (const batch of requests(sources, metadata)) {
			failed.push(...(await send(batch, count)));
			batch.forEach(({ source }) => done.add(source));
			bar.value += batch.length;
		}
	} finally {
		bar.hidden = true;
		// What was not added stays in the form, so that it can be mended and sent again.
		const stays = (source) => !done.has(source) || failed.some((one) => one.source === source);
		chosen = chosen.filter(stays);
		showChosen();
		find("texts").value = texts.filter(stays).join("\n");
		if (count.indexed) await changed();
	}
	if (failed.length) throw new Error(`${count.indexed} added; not these:\n${failed.map(({ said }) => said).join("\n")}`);
	return `${count.indexed} added, ${count.tokens} tokens.`;
}

/** Forget what was chosen for another collection. */
export function reset() {
	chosen = [];
	showChosen();
	const files = kinds().filter((kind) => kind !== "text");
	find("add-drop").hidden = !files.length;
	find("add-says").textContent = `Drop ${inWords(files)} here, or choose files`;
	find("files").accept = files.map((kind) => `${kind}/*`).join(",");
}

/** Wire the form up; `changed` runs after something was added. */
export function wire(changed) {
	find("files").addEventListener("change", () => {
		const files = [...find("files").files];
		find("files").value = "";
		act(null, () => choose(files));
	});
	onDrop(find("add-drop"), (files) => act(null, () => choose(files)));
	find("add-form").addEventListener("submit", (event) => {
		event.preventDefault();
		act(event.submitter, () => add(changed));
	});
}
