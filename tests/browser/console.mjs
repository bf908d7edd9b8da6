// Uses the console in a real Chromium as a person would; called by tests/system/browser.rs.
//
// usage: node console.mjs URL KEY SCREENSHOTS CHROMIUM
// playwright-core is found through the folder that node runs in. Each check prints a line; the first that fails ends it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(path.join(process.cwd(), "package.json"))("playwright-core");
const [url, key, screenshots, program] = process.argv.slice(2);

const browser = await chromium.launch({
	executablePath: program,
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--no-first-run", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ["microphone"] });
context.setDefaultTimeout(30_000);
const page = await context.newPage();
const strangers = [];
const complaints = [];
page.on("request", (request) => {
	if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) strangers.push(request.url());
});
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => {
	// The browser's own words on a refusal that a check asked for.
	if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
});
page.on("dialog", (dialog) => dialog.accept());

const status = page.locator("#status");
const alert = page.getByRole("alert");
const results = page.locator("#results > li");
const items = page.locator("#items > li");

async function step(name, work) {
	await work();
	assert.deepEqual(complaints, [], `${name}: the browser complains`);
	console.log(`ok ${name}`);
}

async function settled(locator, pattern) {
	await locator.filter({ hasText: pattern }).waitFor();
}

/** The input with a label of just these words. */
const field = (label) => page.getByLabel(label, { exact: true }).and(page.locator("input, textarea, select"));

/** A second of a tone as 16-bit mono PCM with its header. */
function tone(hertz) {
	const rate = 16_000;
	const bytes = Buffer.alloc(44 + rate * 2);
	bytes.write("RIFF", 0);
	bytes.writeUInt32LE(36 + rate * 2, 4);
	bytes.write("WAVEfmt ", 8);
	[[16, 4], [1, 2], [1, 2], [rate, 4], [rate * 2, 4], [2, 2], [16, 2]].reduce((at, [value, size]) => bytes.writeUIntLE(value, at, size), 16);
	bytes.write("data", 36);
	bytes.writeUInt32LE(rate * 2, 40);
	for (let at = 0; at < rate; at++) bytes.writeInt16LE(Math.round(Math.sin((2 * Math.PI * hertz * at) / rate) * 20_000), 44 + at * 2);
	return bytes;
}

/** A drawing of a red disc or a blue square, as the browser itself would save it. */
async function drawing(what) {
	const encoded = await page.evaluate((shape) => {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 160;
		const pen = canvas.getContext("2d");
		pen.fillStyle = "white";
		pen.fillRect(0, 0, 160, 160);
		pen.fillStyle = shape === "disc" ? "red" : "blue";
		if (shape === "disc") pen.arc(80, 80, 60, 0, 2 * Math.PI);
		else pen.rect(25, 25, 110, 110);
		pen.fill();
		return canvas.toDataURL("image/png").split(",")[1];
	}, what);
	return { name: `${what}.png`, mimeType: "image/png", buffer: Buffer.from(encoded, "base64") };
}

async function search(text) {
	await field("Search for").fill(text);
	await field("Search for").press("Enter");
	await settled(status, /results/);
}

await step("a wrong key is refused in words", async () => {
	await page.goto(url);
	await field("Key").fill("vwk_nothing");
	await page.getByRole("button", { name: "Use key" }).click();
	await settled(alert, /API key/);
	assert.ok(await page.locator("#workspace").isHidden());
});

await step("the right key opens the workspace", async () => {
	await field("Key").fill(key);
	await page.getByRole("button", { name: "Use key" }).click();
	await page.locator("#workspace").waitFor();
	assert.equal(await page.locator("#health").textContent(), "Ready");
});

await step("a collection is made and texts are added", async () => {
	await page.getByText("New collection").click();
	await field("Name").fill("browser");
	await page.getByRole("button", { name: "Create" }).click();
	await page.getByRole("heading", { name: "browser" }).waitFor();
	await field("Texts, one a line").fill("White running shoes with a springy sole\nA cast iron pan\nA tent for two\n<img src=x onerror=alert(1)>");
	await field("Metadata for all of them (optional JSON object)").fill('{"shelf": "mixed"}');
	await page.getByRole("button", { name: "Add", exact: true }).click();
	await settled(status, /4 added/);
	assert.equal(await items.count(), 4);
});

await step("markup in a text is text", async () => {
	assert.equal(await page.locator("#items .text", { hasText: "<img src=x" }).count(), 1);
});

await step("a search finds what was meant, the best first", async () => {
	await search("sneakers for a jog");
	assert.match(await results.first().innerText(), /running shoes/);
	const scores = (await page.locator("#results .score").allInnerTexts()).map(Number);
	assert.equal(scores.length, 4);
	assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
});

await step("threshold and filter narrow it", async () => {
	await field("Metadata filter").fill('{"shelf": "none"}');
	await search("shoes");
	await settled(page.locator("#results"), /Nothing found/);
	await field("Metadata filter").fill("{shelf}");
	await page.getByRole("button", { name: "Search" }).click();
	await settled(alert, /not JSON/);
	await field("Metadata filter").fill("");
	await field("Least score").fill("0.99");
	await search("shoes");
	await settled(page.locator("#results"), /Nothing found/);
	await field("Least score").fill("");
});

const answer = await fetch(`${url}v1/vectors/models`, { headers: { authorization: `Bearer ${key}` } });
const [model] = (await answer.json()).models;

await step("model and index are told", async () => {
	await settled(page.locator("#models"), new RegExp(`pack ${model.sha256.slice(0, 12)}`));
	await settled(page.locator("#index-summary"), /exact/);
	assert.ok(await page.locator("#pack-warning").isHidden());
	await page.getByRole("button", { name: "Open large" }).click();
	await page.locator("#index-summary", { hasText: /^Index with [\d,]+ lists? of 3,000 vectors$/ }).click();
	const facts = await page.locator("#index-facts").innerText();
	assert.match(facts, new RegExp(`${model.sha256.slice(0, 12)}[^]*On disk\\s+[\\d.]+ MB[^]*Last vacuum\\s+\\w+ \\d+, \\d{4}`));
	assert.doesNotMatch(facts, /undefined|NaN|Invalid/);
	await page.screenshot({ path: path.join(screenshots, "index.png") });
	await page.locator("#index-summary").click();
	await page.getByRole("button", { name: "Open elsewhere" }).click();
	await settled(page.locator("#pack-warning"), /was made with pack 0{12} of/);
	await page.getByRole("button", { name: "Open browser" }).click();
	await page.getByRole("heading", { name: "browser" }).waitFor();
});

await step("what the model does not take is said", async () => {
	const missing = ["text", "image", "audio"].filter((kind) => !model.types.includes(kind));
	const words = { image: "pictures", audio: "sounds" };
	const hint = page.locator("#kinds-hint");
	assert.equal(await hint.isHidden(), missing.length === 0);
	for (const kind of missing) assert.match(await hint.innerText(), new RegExp(`${words[kind]}.* another model`));
	const says = await page.locator("#add-says").innerText();
	for (const [kind, word] of Object.entries(words)) assert.equal(says.includes(word), model.types.includes(kind));
	assert.deepEqual(await page.locator("input[name=kind]:disabled").evaluateAll((all) => all.map(({ value }) => value)), missing);
});

await step("pictures are added, shown and found by a picture", async () => {
	await page.locator("#files").setInputFiles([await drawing("disc"), await drawing("square"), { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("not a picture") }]);
	await page.getByRole("button", { name: "Add", exact: true }).click();
	await settled(alert, /2 added; not these:\s+notes\.png/);
	await page.getByRole("button", { name: "Remove notes.png" }).click();
	assert.equal(await items.count(), 6);
	await page.locator("#items img").first().scrollIntoViewIfNeeded();
	await page.waitForFunction(() => [...document.querySelectorAll("#items img")].every((image) => image.complete && image.naturalWidth === 160));
	await page.getByText("Picture", { exact: true }).first().click();
	await page.locator("#query-file").setInputFiles(await drawing("square"));
	await page.locator("#preview img").waitFor();
	await page.getByRole("button", { name: "Search", exact: true }).click();
	await settled(status, /results/);
	assert.match(await results.first().innerText(), /square\.png/);
	assert.equal(await results.first().locator(".score").innerText(), "1.000");
});

if (model.types.includes("audio")) {
	await step("sounds are added, played and found by a recording", async () => {
		await page.locator("#files").setInputFiles([{ name: "low.wav", mimeType: "audio/wav", buffer: tone(220) }, { name: "high.wav", mimeType: "audio/wav", buffer: tone(1760) }]);
		await page.getByRole("button", { name: "Add", exact: true }).click();
		await settled(status, /2 added/);
		const length = await page.locator("#items audio").first().evaluate((player) => new Promise((resolve, reject) => {
			player.onloadedmetadata = () => resolve(player.duration);
			player.onerror = () => reject(new Error(player.error.message));
			player.load();
			player.preload = "metadata";
		}));
		assert.ok(Math.abs(length - 1) < 0.01, `${length} s`);
		await page.getByText("Sound", { exact: true }).first().click();
		await page.getByRole("button", { name: "Record", exact: true }).click();
		await page.getByRole("button", { name: "Stop" }).waitFor();
		await page.waitForTimeout(1500);
		await page.getByRole("button", { name: "Stop" }).click();
		await page.locator("#preview audio").waitFor();
		await page.getByRole("button", { name: "Search", exact: true }).click();
		await settled(status, /results/);
		assert.ok((await results.count()) >= 2);
	});
}

await step("it can be used by keyboard and read aloud", async () => {
	const nameless = await page.evaluate(() => {
		const named = (element) => element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim();
		return [...document.querySelectorAll("input, select, textarea, button, img, audio, progress")]
			.filter((element) => !named(element) && !element.getAttribute("alt")).map((element) => element.outerHTML);
	});
	assert.deepEqual(nameless, []);
	await page.locator("input[name=kind][value=text]").check();
	await field("Search for").fill("something to cook with");
	await field("Results").focus();
	for (let press = 0; press < 3; press++) await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "Search");
	await page.keyboard.press("Enter");
	await settled(status, /results/);
	assert.match(await results.first().innerText(), /pan/);
});

await step("it fits wide, narrow and dark", async () => {
	await page.locator("#index-summary").click();
	const sizes = { wide: [1280, 900, "light"], narrow: [360, 740, "light"], dark: [1280, 900, "dark"], "narrow-dark": [360, 740, "dark"] };
	for (const [name, [width, height, colorScheme]] of Object.entries(sizes)) {
		await page.setViewportSize({ width, height });
		await page.emulateMedia({ colorScheme });
		await page.evaluate(() => window.scrollTo(0, 0));
		await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
		const wider = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
		assert.ok(wider <= 0, `${name}: ${wider} px too wide`);
	}
});

await step("errors, long words and an empty collection look right, too", async () => {
	await page.setViewportSize({ width: 360, height: 740 });
	await page.emulateMedia({ colorScheme: "light" });
	await page.locator("#create summary").click();
	await field("Name").fill("W".repeat(100));
	await field("Description (optional)").fill("long ".repeat(100).trim());
	await page.getByRole("button", { name: "Create" }).click();
	await page.getByRole("heading", { name: "WWW" }).waitFor();
	await settled(page.locator("#items"), /No items yet/);
	await page.getByRole("button", { name: "Add", exact: true }).click();
	await settled(alert, /nothing to add/);
	await field("Search for").fill("x");
	await field("Metadata filter").fill('{"a": {"$near": 1}}');
	await page.getByRole("button", { name: "Search", exact: true }).click();
	await settled(alert, /unknown operator/);
	assert.ok(await alert.evaluate((box) => box.getBoundingClientRect().top >= 0), "the error is in sight");
	await page.screenshot({ path: path.join(screenshots, "error.png"), fullPage: true });
	assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth), "too wide");
	await page.getByRole("button", { name: "Delete collection" }).click();
	await page.locator("#nothing").waitFor();
	await page.screenshot({ path: path.join(screenshots, "nothing.png"), fullPage: true });
	await page.setViewportSize({ width: 1280, height: 900 });
});

await step("the key survives a reload, and items and collections can be deleted", async () => {
	await page.reload();
	await page.getByRole("button", { name: "Open browser" }).click();
	await items.first().waitFor();
	const before = await items.count();
	await items.first().getByRole("button", { name: /Delete item/ }).click();
	await settled(status, /Deleted/);
	assert.equal(await items.count(), before - 1);
	await page.getByRole("button", { name: "Delete collection" }).click();
	await page.locator("#collections").filter({ hasNotText: /browser/ }).waitFor();
	for (const name of ["large", "elsewhere"]) {
		await page.getByRole("button", { name: `Open ${name}` }).click();
		await page.getByRole("heading", { name }).waitFor();
		await page.getByRole("button", { name: "Delete collection" }).click();
		await page.getByRole("button", { name: `Open ${name}` }).waitFor({ state: "detached" });
	}
	await settled(page.locator("#collections"), /No collections yet/);
	await page.getByRole("button", { name: "Forget key" }).click();
	assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

assert.deepEqual(strangers, [], "another host was asked for something");
await browser.close();
