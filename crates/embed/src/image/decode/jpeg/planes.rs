//! From scans to planes of samples: each component's coefficients are transformed as soon as they are whole.

use super::convert::{Canvas, Colours};
use super::frame::{Component, Frame, Header, Tables};
use super::idct;
use super::scan::{Block, Scan};
use crate::Failure;
use crate::image::format::Format::Jpeg;
use crate::image::limits::{Limits, buffer};
use crate::image::orient::Orientation;

/// Blocks of a unit, at most. T.81, B.2.3.
const UNIT: usize = 10;

/// One component's samples, with room for whole units: all of them, or those of two rows of units.
pub struct Plane {
    pub component: Component,
    samples: Vec<u8>,
    /// The row of the picture that the first row of samples is.
    top: usize,
    /// A row of units' coefficients; of a progressive picture, all of them.
    blocks: Vec<Block>,
    /// The table that its first scan found.
    quantiser: Option<Box<[u16; 64]>>,
}

impl Plane {
    /// Samples from one row to the next.
    pub fn stride(&self) -> usize {
        8 * self.component.room.0
    }

    /// The samples of a row that the picture has; below the last row, and above the first, there is that row again.
    pub fn row(&self, y: usize) -> &[u8] {
        let y = y.min(self.component.height - 1).saturating_sub(self.top);
        let row = self.samples.get(y * self.stride()..).unwrap_or_default();
        row.get(..self.component.width).unwrap_or_default()
    }

    /// Make room for a row of units of a picture that is drawn while it is read: the row before it stays, as it is above,
    /// and the one before that goes.
    fn roll(&mut self, row: usize) {
        if row > 1 {
            let half = self.samples.len() / 2;
            self.samples.copy_within(half.., 0);
        }
        self.top = 8 * self.component.down * row.saturating_sub(1);
    }

    /// Transform a row of blocks, the one of the picture that `to` is.
    fn transform(&mut self, from: usize, to: usize) {
        let to = to - self.top / 8;
        let across = self.component.room.0;
        let stride = self.stride();
        let blocks = self.blocks.get(from * across..(from + 1) * across);
        let samples = self.samples.get_mut(8 * to * stride..8 * (to + 1) * stride);
        if let (Some(blocks), Some(samples), Some(quantiser)) = (blocks, samples, &self.quantiser) {
            idct::row(blocks, quantiser, samples, stride);
        }
    }
}

/// Make room for a frame, unless the file is too short to fill it or the limits are.
pub fn allocate(frame: &Frame, file: &[u8], limits: &Limits) -> Result<Vec<Plane>, Failure> {
    let sizes: Vec<usize> = frame.components.iter().map(|component| component.room.0 * component.room.1).collect();
    let all: usize = sizes.iter().sum();
    // A block takes a bit at least; two without progression.
    if file.len().saturating_mul(if frame.progressive { 8 } else { 4 }) < all {
        return Err(Jpeg.broken("it is cut short"));
    }
    limits.check_memory((frame.width, frame.height), file, needed(frame, &sizes))?;
    let plane = |(component, size): (&Component, usize)| {
        let blocks = if frame.progressive { size } else { component.room.0 * component.down };
        let blocks = buffer([0; 64], blocks)?;
        Ok(Plane { component: component.clone(), samples: Vec::new(), top: 0, blocks, quantiser: None })
    };
    frame.components.iter().zip(sizes).map(plane).collect()
}

/// Bytes that a picture takes at once, at its best: its pixels, and of a progressive one before them all coefficients,
/// then one plane beside them, then all planes. `sizes` are the blocks of each component.
fn needed(frame: &Frame, sizes: &[usize]) -> usize {
    let pixels = 3 * frame.width as usize * frame.height as usize;
    let all: usize = sizes.iter().sum();
    let most = sizes.iter().max().copied().unwrap_or_default();
    if frame.progressive { (128 * all + 64 * most).max(64 * all + pixels) } else { pixels }
}

/// Whether a picture can be drawn while its scan is read, and so needs no whole planes: the scan has all components, by
/// units.
fn at_once(header: &Header, frame: &Frame) -> bool {
    let units = header.parts.len() > 1 || frame.most == (1, 1);
    !frame.progressive && units && header.parts.len() == frame.components.len()
}

/// Read one scan, and give the place where its bits end, and the picture where it was drawn.
pub fn read(
    file: &[u8],
    at: usize,
    header: &Header,
    frame: &Frame,
    tables: &Tables,
    planes: &mut [Plane],
    orientation: Orientation,
) -> Result<(usize, Option<Canvas>), Failure> {
    let canvas = || Canvas::new(frame, Colours::of(frame, tables), orientation);
    let mut canvas = at_once(header, frame).then(canvas).transpose()?;
    for (place, _, _) in header.parts.iter().filter(|_| !frame.progressive) {
        let Some(plane) = planes.get_mut(*place).filter(|plane| plane.samples.is_empty()) else { continue };
        let (across, down) = plane.component.room;
        plane.samples = buffer(0, 64 * across * if canvas.is_some() { 2 * plane.component.down } else { down })?;
    }
    let parts = parts(header, tables, planes)?;
    let mut scan = Scan::new(file, at, header, frame, tables)?;
    let (columns, rows) = match header.parts.as_slice() {
        [(place, _, _)] => planes.get(*place).map_or((0, 0), |plane| plane.component.blocks),
        _ => frame.units,
    };
    for row in 0..rows {
        if !frame.progressive {
            planes.iter_mut().for_each(|plane| plane.blocks.fill([0; 64]));
        }
        for column in 0..columns {
            scan.unit()?;
            for part in &parts {
                let Some(plane) = planes.get_mut(part.place) else { continue };
                part.read(&mut scan, plane, column, if frame.progressive { row * part.down } else { 0 });
            }
        }
        for part in parts.iter().filter(|_| !frame.progressive) {
            if let Some(plane) = planes.get_mut(part.place) {
                if canvas.is_some() {
                    plane.roll(row);
                }
                (0..part.down).for_each(|y| plane.transform(y, row * part.down + y));
            }
        }
        if let Some(canvas) = &mut canvas {
            // The last row of pixels may be mixed with the next one of a component that is not as high.
            let whole = if row + 1 == rows { 0 } else { usize::from(frame.most.1 > 1) };
            canvas.draw(frame, planes, 8 * frame.most.1 * (row + 1) - whole);
        }
    }
    Ok((scan.finish()?, canvas))
}

/// A component's part in a scan: its number there, its plane, and the blocks that it has in a unit.
struct Part {
    number: usize,
    place: usize,
    across: usize,
    down: usize,
}

impl Part {
    /// Read its blocks of one unit: those of the `column`-th one, from the row of blocks `first` on.
    #[inline]
    fn read(&self, scan: &mut Scan<'_>, plane: &mut Plane, column: usize, first: usize) {
        for y in 0..self.down {
            for x in 0..self.across {
                let block = (first + y) * plane.component.room.0 + column * self.across + x;
                if let Some(block) = plane.blocks.get_mut(block) {
                    scan.block(self.number, block);
                }
            }
        }
    }
}

/// What a scan has of each component, whose quantiser is looked up the first time.
fn parts(header: &Header, tables: &Tables, planes: &mut [Plane]) -> Result<Vec<Part>, Failure> {
    // A scan of one component has no units but its blocks.
    let alone = header.parts.len() == 1;
    let mut parts = Vec::new();
    for (number, (place, _, _)) in header.parts.iter().enumerate() {
        let Some(plane) = planes.get_mut(*place) else { continue };
        if plane.quantiser.is_none() {
            let table = tables.quantisers.get(plane.component.quantiser).cloned().flatten();
            plane.quantiser = Some(table.ok_or_else(|| Jpeg.broken("a table of quantisation is missing"))?);
        }
        let (across, down) = if alone { (1, 1) } else { (plane.component.across, plane.component.down) };
        parts.push(Part { number, place: *place, across, down });
    }
    let unit: usize = parts.iter().map(|part| part.across * part.down).sum();
    if unit > UNIT {
        return Err(Jpeg.broken(format!("its units have {unit} blocks; there may be {UNIT}")));
    }
    Ok(parts)
}

/// After the last scan: transform what a progressive picture has gathered.
pub fn finish(frame: &Frame, planes: &mut [Plane]) -> Result<(), Failure> {
    if !complete(planes) {
        return Err(Jpeg.broken("a component is missing, or it is cut short"));
    }
    for plane in planes.iter_mut().filter(|_| frame.progressive) {
        plane.samples = buffer(0, 64 * plane.blocks.len())?;
        (0..plane.component.room.1).for_each(|row| plane.transform(row, row));
        plane.blocks = Vec::new();
    }
    Ok(())
}

/// Whether each component had a scan.
pub fn complete(planes: &[Plane]) -> bool {
    planes.iter().all(|plane| plane.quantiser.is_some())
}
