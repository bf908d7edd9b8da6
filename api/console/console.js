"use strict";
// The console: a plain client of the API. Data reaches the page as text only, never as markup.

const STORED_KEY = "vw-key";
const PAGE = 20;
const BATCH = 100;
/** What the files of one request may come to, in bytes; base64 makes a third more of it. */
const BATCH_BYTES = 36 * 1024 * 1024;
const find = (id) => document.getElementById(id);
const state = { key: "", collection: null, offset: 0, types: new Map() };

/** Call the API; throws an Error whose message is fit to be shown. */
async function call(method, path, body) {
	const headers = { authorization: `Bearer ${state.key}` };
	if (body !== undefined) headers["content-type"] = "application/json";
	let response;
	try {
		response = await fetch(`/v1/vectors/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
	} catch {
		throw new Error("The server cannot be reached.");
	}
	const answer = await response.json().catch(() => null);
	if (response.ok && answer !== null) return answer;
	const error = answer && answer.error;
	if (!error) throw new Error(`The server answered with status ${response.status}.`);
	const param = error.param ? ` (${error.param})` : "";
	throw new Error(`${error.message}${param} [${error.code}, ${error.request_id}]`);
}

/** Run an action for a control; it is disabled meanwhile, and whatever goes wrong is shown. */
async function act(control, action) {
	if (control) control.disabled = true;
	find("error").hidden = true;
	find("status").textContent = "Working…";
	try {
		find("status").textContent = (await action()) || "";
	} catch (error) {
		find("status").textContent = "";
		find("error").textContent = error.message;
		find("error").hidden = false;
		find("error").scrollIntoView({ block: "nearest" });
	} finally {
		if (control) control.disabled = false;
	}
}

/** Make an element with a class and with text or elements in it. */
function make(tag, name, ...content) {
	const element = document.createElement(tag);
	if (name) element.className = name;
	element.append(...content);
	return element;
}

function button(text, label, action) {
	const element = make("button", "quiet", text);
	element.type = "button";
	element.setAttribute("aria-label", label);
	element.addEventListener("click", () => act(element, action));
	return element;
}

function fill(list, rows, empty) {
	list.replaceChildren(...(rows.length ? rows : [make("li", "", make("span", "meta", empty))]));
}

/** An item: its picture, its player or its text, with its metadata and id below. */
function itemBody(item) {
	const metadata = Object.keys(item.metadata).length ? `${JSON.stringify(item.metadata)} · ` : "";
	const meta = make("div", "meta", `${metadata}${item.id}`);
	if (!item.content_url) return [make("div", "body", item.text ?? `(${item.content_type})`, meta)];
	if (item.content_type === "audio") {
		const player = make("audio");
		Object.assign(player, { controls: true, preload: "none", src: item.content_url });
		return [make("div", "body", player, meta)];
	}
	const picture = make("img", "thumb");
	Object.assign(picture, { src: item.content_url, alt: `The image ${item.id}`, loading: "lazy" });
	return [picture, make("div", "body", meta)];
}

/** A file as the field of an item or a query that carries it. */
async function encode(file) {
	const kind = file.type.split("/")[0];
	const types = state.types.get(state.collection.model_id) ?? [];
	if (!["image", "audio"].includes(kind) || !types.includes(kind)) throw new Error(`${file.name}: the model embeds ${types.join(", ")}.`);
	const uri = await new Promise((done, failed) => {
		const reader = new FileReader();
		reader.addEventListener("load", () => done(reader.result));
		reader.addEventListener("error", () => failed(new Error(`${file.name} cannot be read.`)));
		reader.readAsDataURL(file);
	});
	return { [`${kind}_base64`]: uri };
}

async function showModels() {
	const { models } = await call("GET", "models");
	fill(find("models"), models.map((model) => make("li", "", make("div", "body", make("strong", "", model.name),
		make("div", "meta", `${model.id} · ${model.types.join(", ")} · ${model.dimensions} dimensions · ${model.metric}`)))), "No models.");
	state.types = new Map(models.map((model) => [model.id, model.types]));
	find("model").replaceChildren(...models.map((model) => new Option(model.name, model.id)));
}

async function showCollections() {
	const { collections } = await call("GET", "collections");
	const current = state.collection && collections.find(({ id }) => id === state.collection.id);
	state.collection = current || null;
	find("collection").hidden = !current;
	fill(find("collections"), collections.map((collection) => {
		const about = [`${collection.item_count} items`, collection.model_id, collection.description].filter(Boolean).join(" · ");
		const row = make("li", "", make("div", "body", make("strong", "", collection.name), make("div", "meta", about)),
			button("Open", `Open ${collection.name}`, () => open(collection)),
			button("Delete", `Delete ${collection.name}`, () => remove(collection)));
		if (current && collection.id === current.id) row.setAttribute("aria-current", "true");
		return row;
	}), "No collections yet.");
}

async function open(collection) {
	state.collection = collection;
	state.offset = 0;
	find("collection-title").textContent = collection.name;
	find("results").replaceChildren();
	const types = state.types.get(collection.model_id) ?? [];
	for (const drop of document.querySelectorAll(".drop")) drop.hidden = !types.some((type) => type !== "text");
	await showCollections();
	await showItems();
	find("query").focus();
}

async function remove(collection) {
	if (!confirm(`Delete the collection "${collection.name}" and its ${collection.item_count} items?`)) return "";
	await call("DELETE", `collections/${collection.id}`);
	await showCollections();
	return "Deleted.";
}

async function showItems() {
	const { id } = state.collection;
	const { items, total } = await call("GET", `collections/${id}/items?limit=${PAGE}&offset=${state.offset}`);
	if (!items.length && state.offset > 0) {
		state.offset = Math.max(0, state.offset - PAGE);
		return showItems();
	}
	fill(find("items"), items.map((item) => make("li", "", ...itemBody(item), button("Delete", `Delete item ${item.id}`, async () => {
		await call("DELETE", `collections/${id}/items`, { ids: [item.id] });
		await showCollections();
		await showItems();
		return "Deleted.";
	}))), "No items yet.");
	find("range").textContent = items.length ? `${state.offset + 1}–${state.offset + items.length} of ${total}` : "";
	find("earlier").disabled = state.offset === 0;
	find("later").disabled = state.offset + items.length >= total;
}

async function turn(step) {
	state.offset = Math.max(0, state.offset + step);
	await showItems();
}

/** Search with what is given, else with the text in its field. */
async function search(query = { text: find("query").value }) {
	const body = { ...query, top_k: Number(find("top-k").value) };
	if (find("threshold").value !== "") body.threshold = Number(find("threshold").value);
	const { results, usage } = await call("POST", `collections/${state.collection.id}/search`, body);
	fill(find("results"), results.map((hit) => make("li", "", make("span", "score", hit.score.toFixed(4)), ...itemBody(hit))), "Nothing found.");
	return `${results.length} results, ${usage.input_tokens} tokens.`;
}

/** The metadata for all that is added. */
function metadata() {
	try {
		return find("metadata").value.trim() ? JSON.parse(find("metadata").value) : {};
	} catch (error) {
		throw new Error(`The metadata is not JSON: ${error.message}`);
	}
}

/** Add files, as many in a request as it takes; what fails is told when all is done. */
async function addFiles(files) {
	const about = metadata();
	const failed = [];
	let indexed = 0;
	for (let start = 0, end = 0; start < files.length; start = end) {
		for (let bytes = 0; end < files.length && end - start < BATCH && (end === start || bytes + files[end].size <= BATCH_BYTES); end++) {
			bytes += files[end].size;
		}
		const batch = files.slice(start, end);
		const items = await Promise.all(batch.map(async (file) => ({ ...await encode(file), metadata: { name: file.name, ...about } })));
		const report = await call("POST", `collections/${state.collection.id}/index`, { items });
		indexed += report.indexed;
		for (const error of report.errors ?? []) failed.push(`${batch[error.index].name}: ${error.message}`);
		find("status").textContent = `${indexed} of ${files.length} added…`;
	}
	await showCollections();
	await showItems();
	if (failed.length) throw new Error(`${indexed} added. ${failed.join(" · ")}`);
	return `${indexed} added.`;
}

async function addTexts() {
	const texts = find("texts").value.split("\n").map((line) => line.trim()).filter(Boolean);
	if (!texts.length) throw new Error("There is no text to add.");
	const about = metadata();
	let indexed = 0;
	let tokens = 0;
	try {
		for (let start = 0; start < texts.length; start += BATCH) {
			const items = texts.slice(start, start + BATCH).map((text) => ({ text, metadata: about }));
			const report = await call("POST", `collections/${state.collection.id}/index`, { items });
			indexed += report.indexed;
			tokens += report.usage.input_tokens;
			find("texts").value = texts.slice(indexed).join("\n");
			find("status").textContent = `${indexed} of ${texts.length} added…`;
		}
	} finally {
		if (indexed) {
			await showCollections();
			await showItems();
		}
	}
	return `${indexed} added, ${tokens} tokens.`;
}

async function create() {
	const body = { name: find("name").value, model_id: find("model").value || undefined };
	if (find("description").value) body.description = find("description").value;
	const collection = await call("POST", "collections", body);
	find("name").value = find("description").value = "";
	await open(collection);
	return "Created.";
}

async function enter(key) {
	state.key = key;
	state.collection = null;
	find("workspace").hidden = true;
	await showModels();
	await showCollections();
	sessionStorage.setItem(STORED_KEY, key);
	find("workspace").hidden = false;
	return "Ready.";
}

function forget() {
	sessionStorage.removeItem(STORED_KEY);
	state.key = find("key").value = "";
	find("workspace").hidden = find("error").hidden = true;
	find("status").textContent = "";
}

/** Run an action when a form is sent. */
function onSubmit(id, action) {
	find(id).addEventListener("submit", (event) => {
		event.preventDefault();
		act(event.submitter, action);
	});
}

/** Run an action with the files that are chosen in a field or dropped on its label. */
function onFiles(id, action) {
	const field = find(id);
	const drop = field.closest(".drop");
	const take = (list) => {
		const files = [...list];
		if (files.length) act(field, () => action(files)).then(() => { field.value = ""; });
	};
	field.addEventListener("change", () => take(field.files));
	for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
		drop.addEventListener(name, (event) => {
			event.preventDefault();
			drop.classList.toggle("over", name === "dragenter" || name === "dragover");
		});
	}
	drop.addEventListener("drop", (event) => take(event.dataTransfer.files));
}

onSubmit("key-form", () => enter(find("key").value.trim()));
onSubmit("create-form", create);
onSubmit("search-form", () => search());
onFiles("query-file", async ([file]) => search(await encode(file)));
onFiles("files", addFiles);
onSubmit("add-form", addTexts);
find("forget").addEventListener("click", forget);
// The list itself says whether these may be used afterwards, so act must not enable them.
find("earlier").addEventListener("click", () => act(null, () => turn(-PAGE)));
find("later").addEventListener("click", () => act(null, () => turn(PAGE)));
const stored = sessionStorage.getItem(STORED_KEY);
if (stored) {
	find("key").value = stored;
	act(null, () => enter(stored));
}
