// Files that the user drops, chooses, pastes or records: what kind they are, and their bytes as the API takes them.

const KINDS = { image: "picture", audio: "sound" };
/** What the service takes, in bytes. */
const LIMITS = { image: 20e6, audio: 25e6 };

/** `image` or `audio`; throws for anything else. */
export function kindOf(file) {
	const kind = file.type.split("/")[0];
	if (kind in KINDS) return kind;
	// Browsers name no type for some endings.
	if (/\.(flac|ogg|oga|opus|m4a|aac|mp3|wav)$/i.test(file.name)) return "audio";
	if (/\.(tiff?|bmp|webp)$/i.test(file.name)) return "image";
	throw new Error(`${file.name} is neither a picture nor a sound.`);
}

/** Read a file as the one field of an item or a query. */
export async function field(file) {
	const kind = kindOf(file);
	if (file.size > LIMITS[kind]) {
		throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB; a ${KINDS[kind]} may have ${LIMITS[kind] / 1e6} MB.`);
	}
	return { [`${kind}_base64`]: await base64(file) };
}

function base64(file) {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
		reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
		reader.readAsDataURL(file);
	});
}

/** Make a picture or a player for a URL; `name` is what a screen reader says. */
export function show(kind, url, name) {
	const element = document.createElement(kind === "image" ? "img" : "audio");
	element.src = url;
	if (kind === "image") {
		element.alt = name;
		element.loading = "lazy";
	} else {
		element.controls = true;
		element.preload = "none";
		element.setAttribute("aria-label", name);
	}
	return element;
}

/** Let files be dropped on an element. */
export function onDrop(element, take) {
	const over = (on) => (event) => {
		event.preventDefault();
		element.classList.toggle("over", on);
	};
	element.addEventListener("dragover", over(true));
	element.addEventListener("dragleave", over(false));
	element.addEventListener("drop", (event) => {
		over(false)(event);
		take([...event.dataTransfer.files]);
	});
}
