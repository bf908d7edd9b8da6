// Models and collections: listed, made, opened, deleted.

import { call } from "./api.js";
import { button, fill, find, make } from "./page.js";

/** The collection that is open, and the models by id. */
export const state = { collection: null, models: new Map() };

const WORDS = { text: "texts", image: "pictures", audio: "sounds" };

/** Kinds of input as people call them: "texts and pictures". */
export const inWords = (types) => types.map((type) => WORDS[type] ?? type).join(", ").replace(/, ([^,]*)$/, " and $1");

/** The first digits of a pack's hash, enough to tell packs apart by eye. */
export const short = (sha256) => sha256.slice(0, 12);

/** What the open collection's model embeds. */
export const kinds = () => state.models.get(state.collection.model_id)?.types ?? ["text"];

export async function showModels() {
	const { models } = await call("GET", "models");
	state.models = new Map(models.map((model) => [model.id, model]));
	fill(find("models"), models.map((model) => make("li", "", make("div", "body", make("strong", "", model.name),
		make("div", "meta", model.id), make("div", "meta", `Takes ${inWords(model.types)}`),
		make("div", "meta", `${model.dimensions} dimensions · ${model.metric} · pack ${short(model.sha256)}`)))), "No models.");
	find("model").replaceChildren(...models.map((model) => new Option(model.name, model.id)));
}

export async function showCollections(open) {
	const { collections } = await call("GET", "collections");
	const current = state.collection && collections.find(({ id }) => id === state.collection.id);
	state.collection = current || null;
	find("collection").hidden = !current;
	find("nothing").hidden = Boolean(current);
	if (current) {
		const count = `${current.item_count} ${current.item_count === 1 ? "item" : "items"}`;
		find("collection-about").textContent = [current.description, count, current.model_id, current.id].filter(Boolean).join(" · ");
	}
	fill(find("collections"), collections.map((collection) => {
		const row = make("li", "", button(`${collection.name} (${collection.item_count})`, `Open ${collection.name}`, () => open(collection), "open"));
		if (current && collection.id === current.id) row.setAttribute("aria-current", "true");
		return row;
	}), "No collections yet.");
}

/** Make a collection of what the form says. */
export async function create() {
	const body = { name: find("name").value, model_id: find("model").value || undefined };
	if (find("description").value) body.description = find("description").value;
	const collection = await call("POST", "collections", body);
	find("name").value = find("description").value = "";
	find("create").open = false;
	return collection;
}

/** Delete the open collection; whether the user meant it. */
export async function removeOpen() {
	const { id, name, item_count: count } = state.collection;
	if (!confirm(`Delete the collection "${name}" with ${count === 1 ? "its item" : `all ${count} items`}? This cannot be undone.`)) return false;
	await call("DELETE", `collections/${id}`);
	return true;
}
