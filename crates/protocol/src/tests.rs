//! Guards against a peer's bytes being believed: every frame reads back, none that is cut or
//! garbled is accepted or makes the reader fail in any other way than by an error.

use super::*;

fn requests() -> Vec<Request> {
    vec![
        Request::Ping,
        Request::Stats,
        Request::Models,
        Request::Embed {
            modality: Modality::Text,
            bulk: true,
            model: "m".into(),
            inputs: vec![b"white shoes".to_vec(), Vec::new()],
        },
    ]
}

fn replies() -> Vec<Reply> {
    let item = Embedding { tokens: 7, truncated: true, vector: vec![0.5, -1.25] };
    let model = Model {
        id: "id".into(),
        name: "name".into(),
        types: 1,
        dimensions: 1024,
        metric: "COSINE".into(),
        max_tokens: 256,
        sha256: "00".into(),
    };
    let refusal = Refusal { code: ErrorCode::Overloaded, message: "busy".into(), hint: "wait".into() };
    let tower = TowerStats {
        model: "id".into(),
        modality: Modality::Audio,
        loaded: true,
        waiting: 1,
        inputs: 2,
        failed: 3,
        batches: 4,
        tokens: 5,
        padding: 6,
        run_micros: u64::MAX,
        wait_micros: 8,
    };
    vec![
        Reply::Pong,
        Reply::Embeddings { dimensions: 2, items: vec![Ok(item.clone()), Err(refusal.clone()), Ok(item)] },
        Reply::Stats(vec![tower]),
        Reply::Models(vec![model]),
        Reply::Error(refusal),
    ]
}

fn body(frame: &[u8]) -> &[u8] {
    let (word, body) = frame.split_first_chunk::<4>().expect("a frame has a length word");
    assert_eq!(frame_length(*word), Ok(body.len()));
    body
}

#[test]
fn frames_read_back() {
    for request in requests() {
        assert_eq!(Request::decode(body(&request.encode())), Ok(request));
    }
    for reply in replies() {
        assert_eq!(Reply::decode(body(&reply.encode())), Ok(reply));
    }
}

#[test]
fn cut_or_lengthened_frames_are_refused() {
    let longer = |frame: &[u8]| [body(frame), b"x"].concat();
    for frame in requests().iter().map(Request::encode) {
        (0..body(&frame).len()).for_each(|end| assert!(Request::decode(&body(&frame)[..end]).is_err()));
        assert_eq!(Request::decode(&longer(&frame)), Err(ProtocolError::Trailing(1)));
    }
    for frame in replies().iter().map(Reply::encode) {
        (0..body(&frame).len()).for_each(|end| assert!(Reply::decode(&body(&frame)[..end]).is_err()));
        assert_eq!(Reply::decode(&longer(&frame)), Err(ProtocolError::Trailing(1)));
    }
}

#[test]
fn garbled_frames_never_panic() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let frames = requests().iter().map(Request::encode).chain(replies().iter().map(Reply::encode)).collect::<Vec<_>>();
    for round in 0..20_000 {
        let mut bytes = body(&frames[round % frames.len()]).to_vec();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = state as usize % bytes.len();
        bytes[at] = (state >> 32) as u8;
        let _ = Request::decode(&bytes);
        let _ = Reply::decode(&bytes);
    }
}

#[test]
fn length_word_is_bounded() {
    assert!(frame_length([0; 4]).is_err());
    assert!(frame_length([0xff; 4]).is_err());
    assert_eq!(frame_length([1, 0, 0, 0]), Ok(1));
}
