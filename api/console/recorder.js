// Records the microphone as a WAV file: what browsers record by themselves, Opus, is not taken by every model.

const SECONDS = 15;

/** Start recording; gives a function that stops it and gives the file. */
export async function record(onEnd) {
	const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch((error) => {
		throw new Error(`The microphone cannot be used: ${error.message}`);
	});
	const context = new AudioContext();
	await context.audioWorklet.addModule("console/recorder-worklet.js");
	const source = context.createMediaStreamSource(stream);
	const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
	const chunks = [];
	node.port.onmessage = ({ data }) => chunks.push(data);
	source.connect(node);
	let ended = false;
	const stop = async () => {
		if (ended) return null;
		ended = true;
		clearTimeout(timer);
		stream.getTracks().forEach((track) => track.stop());
		await context.close();
		return new File([wav(chunks, context.sampleRate)], "recording.wav", { type: "audio/wav" });
	};
	const timer = setTimeout(() => onEnd(), SECONDS * 1000);
	return stop;
}

/** Write 16-bit mono PCM with its RIFF header. */
function wav(chunks, rate) {
	const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
	const view = new DataView(new ArrayBuffer(44 + count * 2));
	const word = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
	word(0, "RIFF");
	view.setUint32(4, 36 + count * 2, true);
	word(8, "WAVEfmt ");
	view.setUint32(16, 16, true);
	view.setUint16(20, 1, true);
	view.setUint16(22, 1, true);
	view.setUint32(24, rate, true);
	view.setUint32(28, rate * 2, true);
	view.setUint16(32, 2, true);
	view.setUint16(34, 16, true);
	word(36, "data");
	view.setUint32(40, count * 2, true);
	let at = 44;
	for (const chunk of chunks) {
		for (const sample of chunk) {
			view.setInt16(at, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
			at += 2;
		}
	}
	return view.buffer;
}
