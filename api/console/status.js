// What the open collection looks like from inside: its pack, its size, its index.

import { call } from "./api.js";
import { short, state } from "./collections.js";
import { find, make } from "./page.js";

const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

function size(bytes) {
	const units = ["B", "kB", "MB", "GB", "TB"];
	const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
	return `${(bytes / 1000 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

const when = (time) => (time ? new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" }) : "not yet");

function facts({ model, bytes, index, vacuumed_at: vacuumed, analyzed_at: analyzed }) {
	const rows = [["Model", model.id], ["Pack", short(model.sha256)], ["On disk", size(bytes)]];
	if (index) {
		rows.push(["Vectors in the index", index.vectors.toLocaleString("en")], ["Lists", `${index.lists.toLocaleString("en")}, the longest with ${index.longest_list.toLocaleString("en")}`]);
		rows.push(["Not packed yet", index.unpacked.toLocaleString("en")], ["Deleted, not freed yet", index.deleted.toLocaleString("en")], ["Index on disk", size(index.bytes)]);
	}
	return [...rows, ["Last vacuum", when(vacuumed)], ["Last analyze", when(analyzed)]];
}

/** Show it for the collection that is open. */
export async function showStatus() {
	const status = await call("GET", `collections/${state.collection.id}/status`);
	const { index, model } = status;
	find("index-summary").textContent = index ? `Index with ${count(index.lists, "list", "lists")} of ${count(index.vectors, "vector", "vectors")}`
		: "Searches are exact; an index comes by itself from 3,000 items on";
	find("index-facts").replaceChildren(...facts(status).flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
	const installed = state.models.get(model.id);
	const same = installed?.sha256 === model.sha256;
	find("pack-warning").hidden = same;
	find("pack-warning").textContent = same ? "" : `This collection was made with pack ${short(model.sha256)} of ${model.id}; `
		+ `${installed ? `installed is ${short(installed.sha256)}` : "no pack of that name is installed"}. Put that pack back, or make a new collection.`;
}
