// Searching with a text, a picture or a sound.

import { call } from "./api.js";
import { inWords, kinds, state } from "./collections.js";
import { card, kindOfItem } from "./items.js";
import { field, kindOf, onDrop, show } from "./media.js";
import { act, fill, find, jsonField } from "./page.js";
import { record } from "./recorder.js";

const SAYS = { image: "Drop a picture here, paste one, or choose a file", audio: "Drop a sound here, choose a file, or record one" };
const KINDS = ["text", "image", "audio"];
const radio = (kind) => document.querySelector(`input[name=kind][value=${kind}]`);
const kind = () => document.querySelector("input[name=kind]:checked").value;
let file = null;
let stop = null;

/** Take a file for the query, or none. */
function take(next) {
	if (file) URL.revokeObjectURL(find("preview").firstChild?.src);
	file = next;
	find("preview").replaceChildren();
	if (!file) return;
	radio(kindOf(file)).checked = true;
	showKind();
	find("query-url").value = "";
	find("preview").append(show(kind(), URL.createObjectURL(file), file.name));
}

function showKind() {
	find("by-text").hidden = kind() !== "text";
	find("by-media").hidden = kind() === "text";
	find("record").hidden = kind() !== "audio" || !navigator.mediaDevices;
	find("query-file").accept = `${kind()}/*`;
	find("query-says").textContent = SAYS[kind()] ?? "";
	if (file && kindOf(file) !== kind()) take(null);
}

/** Offer what the open collection's model embeds. */
export function offerKinds() {
	KINDS.forEach((name) => { radio(name).disabled = !kinds().includes(name); });
	if (radio(kind()).disabled) radio(kinds()[0]).checked = true;
	const missing = KINDS.filter((name) => !kinds().includes(name));
	find("kinds-hint").hidden = !missing.length;
	find("kinds-hint").textContent = `The model of this collection takes ${inWords(kinds())}; ${inWords(missing)} need another model.`;
	take(null);
	showKind();
	find("results").replaceChildren();
}

async function input() {
	if (kind() === "text") {
		if (!find("query").value.trim()) throw new Error("Say what to search for.");
		return { text: find("query").value };
	}
	if (find("query-url").value) return { [kind()]: find("query-url").value };
	if (!file) throw new Error(`Choose a ${kind() === "image" ? "picture" : "sound"} to search with.`);
	return field(file);
}

async function search() {
	const body = { ...(await input()), top_k: Number(find("top-k").value), filter: jsonField("filter", "filter") };
	if (find("threshold").value !== "") body.threshold = Number(find("threshold").value);
	const { results, usage } = await call("POST", `collections/${state.collection.id}/search`, body);
	fill(find("results"), results.map((hit) => {
		const score = document.createElement("span");
		score.className = "score";
		score.textContent = hit.score.toFixed(3);
		score.setAttribute("aria-label", `Score ${hit.score.toFixed(3)}`);
		return card(hit, score, kindOfItem(hit));
	}), "Nothing found.");
	return `${results.length} results, ${usage.input_tokens} tokens.`;
}

/** Start recording, or stop and take what was recorded. */
async function toggleRecording() {
	if (stop) {
		const recorded = await stop();
		stop = null;
		find("record").textContent = "Record";
		if (recorded) take(recorded);
		return "Recorded.";
	}
	stop = await record(() => act(null, toggleRecording));
	find("record").textContent = "Stop";
	return "Recording…";
}

/** Wire the search form up. */
export function wire() {
	find("search-form").addEventListener("submit", (event) => {
		event.preventDefault();
		act(event.submitter, search);
	});
	document.querySelectorAll("input[name=kind]").forEach((choice) => choice.addEventListener("change", showKind));
	find("record").addEventListener("click", () => act(find("record"), toggleRecording));
	find("query-file").addEventListener("change", () => act(null, () => take(find("query-file").files[0] ?? null)));
	find("query-url").addEventListener("input", () => take(null));
	onDrop(find("query-drop"), ([first]) => act(null, () => take(first ?? null)));
	document.addEventListener("paste", (event) => {
		const [pasted] = event.clipboardData.files;
		if (pasted && !find("collection").hidden && kinds().includes("image")) act(null, () => take(pasted));
	});
}
