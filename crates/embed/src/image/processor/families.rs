//! The image processors that are known by name, what their keys default to, and what each becomes.

use super::config::{Channels, Config, Named, Resample, Size};
use super::plan::{Crop, Plan, Rounding, Target};
use super::tones::Tones;
use crate::Failure;
use crate::image::colour::Alpha;
use crate::image::resize::Filter;

/// A side of a size in a configuration, at most.
const SIDE: u32 = 4096;

const CLIP_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];
const HALVES: [f64; 3] = [0.5; 3];

/// What a class of `transformers` takes where its configuration is silent.
struct Defaults {
    size: Size,
    /// Whether one number as size is both sides.
    square: bool,
    filter: Filter,
    crop: Option<u32>,
    mean: [f64; 3],
    std: [f64; 3],
    /// Of ConvNeXT only.
    crop_pct: Option<f64>,
}

fn side(named: [Option<u32>; 3]) -> Size {
    let [shortest_edge, height, width] = named;
    Size::Named(Named { shortest_edge, height, width, longest_edge: None })
}

/// The defaults of a class, by its name without what says which library it uses.
fn defaults(name: &str) -> Option<Defaults> {
    let square = side([None, Some(224), Some(224)]);
    let found = match name {
        "CLIPImageProcessor" | "BitImageProcessor" => Defaults {
            size: side([Some(224), None, None]),
            square: false,
            filter: Filter::Bicubic,
            crop: Some(224),
            mean: CLIP_MEAN,
            std: CLIP_STD,
            crop_pct: None,
        },
        "SiglipImageProcessor" => Defaults {
            size: square,
            square: false,
            filter: Filter::Bicubic,
            crop: None,
            mean: HALVES,
            std: HALVES,
            crop_pct: None,
        },
        "ViTImageProcessor" => Defaults {
            size: square,
            square: true,
            filter: Filter::Bilinear,
            crop: None,
            mean: HALVES,
            std: HALVES,
            crop_pct: None,
        },
        "ConvNextImageProcessor" => Defaults {
            size: side([Some(384), None, None]),
            square: false,
            filter: Filter::Bicubic,
            crop: None,
            mean: HALVES,
            std: HALVES,
            crop_pct: Some(224.0 / 256.0),
        },
        _ => return None,
    };
    Some(found)
}

/// What the errors say.
const SUPPORTED: &str = "supported are CLIPImageProcessor, SiglipImageProcessor, ViTImageProcessor, BitImageProcessor, \
    ConvNextImageProcessor, JinaCLIPImageProcessor and ImageBindImageProcessor";

/// Turn a configuration into the steps that it asks for.
pub fn plan(config: &Config) -> Result<Plan, Failure> {
    let name = config.image_processor_type.as_deref().or(config.feature_extractor_type.as_deref());
    let Some(name) = name else {
        return Err(Failure::pack("the image preprocessor's configuration has no image_processor_type").hint(SUPPORTED));
    };
    match name {
        "JinaCLIPImageProcessor" => jina(config),
        "ImageBindImageProcessor" => imagebind(config),
        _ => match defaults(&class(name)) {
            Some(defaults) => transformers(config, &defaults),
            None => Err(Failure::pack(format!("no image processor of the type {name} is known")).hint(SUPPORTED)),
        },
    }
}

/// A class's name: the variants for tensors and for Pillow have the same keys, and feature extractors were their forebears.
fn class(name: &str) -> String {
    if let Some(family) = name.strip_suffix("FeatureExtractor") {
        return format!("{family}ImageProcessor");
    }
    name.strip_suffix("Fast").or_else(|| name.strip_suffix("Pil")).unwrap_or(name).to_owned()
}

/// The classes of `transformers`, as their Pillow variants work. All pictures are made RGB, whatever do_convert_rgb says:
/// without it these classes take pictures that are RGB already, and fail for all others.
fn transformers(config: &Config, defaults: &Defaults) -> Result<Plan, Failure> {
    if config.do_pad == Some(true) {
        return Err(Failure::pack("the image preprocessor's do_pad is not supported; it must be false"));
    }
    let square = config.default_to_square.unwrap_or(defaults.square);
    let size = target(config.size.as_ref().unwrap_or(&defaults.size), square)?;
    let filter = filter(config.resample.as_ref(), defaults.filter)?;
    let crop = match (&config.crop_size, defaults.crop) {
        (Some(size), _) => Some(exact(size)?),
        (None, side) => side.map(|side| (side, side)),
    };
    let mut crop = if config.do_center_crop.unwrap_or(defaults.crop.is_some()) {
        let (width, height) = crop.ok_or_else(|| Failure::pack("do_center_crop is set, but crop_size is missing"))?;
        Some(Crop { width, height, rounding: Rounding::Numpy, fill: [0; 3] })
    } else {
        None
    };
    let resize = config.do_resize.unwrap_or(true);
    let mut target = target_of(size);
    if let (Some(crop_pct), true) = (defaults.crop_pct, resize) {
        (target, crop) = convnext(size, config.crop_pct.unwrap_or(crop_pct), crop)?;
    }
    let factor = config.do_rescale.unwrap_or(true).then(|| config.rescale_factor.unwrap_or(1.0 / 255.0));
    let normalise = config.do_normalize.unwrap_or(true).then(|| {
        let each = |given: &Option<Channels>, or: [f64; 3]| given.as_ref().map_or(or, Channels::each);
        (each(&config.image_mean, defaults.mean), each(&config.image_std, defaults.std))
    });
    let tones = Tones::numpy(factor, normalise);
    Ok(Plan { alpha: Alpha::OnWhite, resize: resize.then_some((target, filter)), crop, tones })
}

/// ConvNeXT resizes small pictures larger and crops them, and large ones to a square.
fn convnext(size: Extent, crop_pct: f64, after: Option<Crop>) -> Result<(Target, Option<Crop>), Failure> {
    let Extent::Shortest(side) = size else {
        return Err(Failure::pack("the size of a ConvNextImageProcessor must be a shortest_edge"));
    };
    if side >= 384 {
        return Ok((Target::Exact { width: side, height: side }, after));
    }
    let longer = (f64::from(side) / crop_pct).floor();
    if !(1.0..=f64::from(SIDE)).contains(&longer) || after.is_some() {
        return Err(Failure::pack(format!("crop_pct {crop_pct} with size {side} is not supported")));
    }
    let crop = Crop { width: side, height: side, rounding: Rounding::Numpy, fill: [0; 3] };
    Ok((Target::Shortest(longer as u32), Some(crop)))
}

/// jina-clip: torchvision's steps, with the keys of its own processor.
fn jina(config: &Config) -> Result<Plan, Failure> {
    let (width, height) = config.size.as_ref().map_or(Ok((224, 224)), exact)?;
    let fill = config.fill_color.as_ref().map_or([0; 3], |fill| fill.colour());
    let middle = Some(Crop { width, height, rounding: Rounding::Torchvision, fill });
    let (target, crop) = match config.resize_mode.as_deref().unwrap_or("shortest") {
        "shortest" if width == height => (Target::Shortest(width), middle.map(|crop| Crop { fill: [0; 3], ..crop })),
        "shortest" => {
            (Target::Proportional { width, height, inside: false }, middle.map(|crop| Crop { fill: [0; 3], ..crop }))
        }
        "longest" => (Target::Proportional { width, height, inside: true }, middle),
        "squash" => (Target::Exact { width, height }, None),
        mode => {
            let message =
                format!("the image preprocessor's resize_mode is {mode}; known are shortest, longest and squash");
            return Err(Failure::pack(message));
        }
    };
    let filter = filter(config.interpolation.as_ref(), Filter::Bicubic)?;
    let each = |given: &Option<Channels>, or: [f64; 3]| given.as_ref().map_or(or, Channels::each);
    let tones = Tones::torchvision(each(&config.mean, CLIP_MEAN), each(&config.std, CLIP_STD));
    Ok(Plan { alpha: Alpha::Drop, resize: Some((target, filter)), crop, tones })
}

/// ImageBind: torchvision's steps as its `data.py` has them; size, image_mean and image_std may be given.
fn imagebind(config: &Config) -> Result<Plan, Failure> {
    let (width, height) = config.size.as_ref().map_or(Ok((224, 224)), exact)?;
    let target = Target::Shortest(width.min(height));
    let crop = Some(Crop { width, height, rounding: Rounding::Torchvision, fill: [0; 3] });
    let filter = filter(config.resample.as_ref(), Filter::Bicubic)?;
    let each = |given: &Option<Channels>, or: [f64; 3]| given.as_ref().map_or(or, Channels::each);
    let tones = Tones::torchvision(each(&config.image_mean, CLIP_MEAN), each(&config.image_std, CLIP_STD));
    Ok(Plan { alpha: Alpha::Drop, resize: Some((target, filter)), crop, tones })
}

/// A size, checked.
#[derive(Clone, Copy)]
enum Extent {
    Shortest(u32),
    Exact(u32, u32),
}

fn target_of(size: Extent) -> Target {
    match size {
        Extent::Shortest(side) => Target::Shortest(side),
        Extent::Exact(width, height) => Target::Exact { width, height },
    }
}

fn target(size: &Size, square: bool) -> Result<Extent, Failure> {
    match size {
        Size::Side(side) if !square => Ok(Extent::Shortest(bounded(*side)?)),
        Size::Named(Named { shortest_edge: Some(side), longest_edge: None, height: None, width: None }) => {
            Ok(Extent::Shortest(bounded(*side)?))
        }
        _ => exact(size).map(|(width, height)| Extent::Exact(width, height)),
    }
}

/// Width and height.
fn exact(size: &Size) -> Result<(u32, u32), Failure> {
    let (width, height) = match size {
        Size::Side(side) => (*side, *side),
        Size::Pair([height, width]) => (*width, *height),
        Size::Named(Named { shortest_edge: None, longest_edge: None, height: Some(height), width: Some(width) }) => {
            (*width, *height)
        }
        Size::Named(named) => {
            let message = format!("the image preprocessor's size is {named:?}");
            return Err(Failure::pack(message).hint("supported are shortest_edge alone, and height with width"));
        }
    };
    Ok((bounded(width)?, bounded(height)?))
}

fn bounded(side: u32) -> Result<u32, Failure> {
    if (1..=SIDE).contains(&side) {
        return Ok(side);
    }
    Err(Failure::pack(format!(
        "a side of {side} pixels in the image preprocessor's configuration is not in 1 to {SIDE}"
    )))
}

fn filter(resample: Option<&Resample>, default: Filter) -> Result<Filter, Failure> {
    let (found, name) = match resample {
        None => return Ok(default),
        Some(Resample::Number(number)) => (Filter::from_number(*number), number.to_string()),
        Some(Resample::Name(name)) => (Filter::from_name(name), name.clone()),
    };
    found.ok_or_else(|| Failure::pack(format!("the image preprocessor's filter {name} is not known")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Plan, Failure> {
        plan(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_a_file_leaves_out_has_its_classs_default() {
        let clip = read(r#"{"image_processor_type": "CLIPImageProcessor"}"#).unwrap();
        assert_eq!(clip.resize, Some((Target::Shortest(224), Filter::Bicubic)));
        assert_eq!(clip.crop.map(|crop| (crop.width, crop.height)), Some((224, 224)));
        let siglip = read(r#"{"image_processor_type": "SiglipImageProcessor", "resample": 2}"#).unwrap();
        assert_eq!(siglip.resize, Some((Target::Exact { width: 224, height: 224 }, Filter::Bilinear)));
        assert_eq!(siglip.crop, None);
        let vit = read(r#"{"feature_extractor_type": "ViTFeatureExtractor", "size": 384}"#).unwrap();
        assert_eq!(vit.resize, Some((Target::Exact { width: 384, height: 384 }, Filter::Bilinear)));
        let fast = read(r#"{"image_processor_type": "CLIPImageProcessorFast", "size": 336}"#).unwrap();
        assert_eq!(fast.resize, Some((Target::Shortest(336), Filter::Bicubic)));
        let imagebind = read(r#"{"image_processor_type": "ImageBindImageProcessor"}"#).unwrap();
        assert_eq!(imagebind.alpha, Alpha::Drop);
        let convnext = read(r#"{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}}"#);
        assert_eq!(convnext.unwrap().resize, Some((Target::Shortest(256), Filter::Bicubic)));
    }

    #[test]
    fn steps_may_be_switched_off() {
        let none = r#"{"image_processor_type": "CLIPImageProcessor", "do_resize": false, "do_center_crop": false,
            "do_rescale": false, "do_normalize": false}"#;
        let plan = read(none).unwrap();
        assert!(plan.resize.is_none() && plan.crop.is_none());
        assert_eq!(plan.tones, Tones::plain());
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, named) in [
            (r#"{"image_processor_type": "Siglip2ImageProcessor"}"#, "Siglip2ImageProcessor"),
            (r#"{"size": 224}"#, "image_processor_type"),
            (r#"{"image_processor_type": "CLIPImageProcessor", "size": {"longest_edge": 4}}"#, "longest_edge"),
            (r#"{"image_processor_type": "CLIPImageProcessor", "resample": 9}"#, "filter 9"),
            (r#"{"image_processor_type": "CLIPImageProcessor", "size": 0}"#, "side of 0"),
            (r#"{"image_processor_type": "CLIPImageProcessor", "crop_size": 100000}"#, "side of 100000"),
            (r#"{"image_processor_type": "ViTImageProcessor", "do_center_crop": true}"#, "crop_size"),
            (r#"{"image_processor_type": "CLIPImageProcessor", "do_pad": true}"#, "do_pad"),
            (r#"{"image_processor_type": "JinaCLIPImageProcessor", "resize_mode": "fit"}"#, "fit"),
            (r#"{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 0}"#, "crop_pct"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.message.contains(named), "{failure}");
        }
    }
}
