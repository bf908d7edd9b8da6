// Runs on the audio thread: hands the first channel on as it comes.

class Recorder extends AudioWorkletProcessor {
	process([channels]) {
		if (channels.length) this.port.postMessage(channels[0].slice());
		return true;
	}
}

registerProcessor("recorder", Recorder);
