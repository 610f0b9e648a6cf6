import Blocks
import Simulation
import Testing
import VolumeEngine

extension Bench {
    /// Everything that must hold between two steps.
    func check(_ place: SourceLocation = #_sourceLocation) throws {
        try checkContents(place)
        try checkSnapshots(place)
        try checkDirty(place)
        try checkAllocation(place)
    }

    func checkContents(_ place: SourceLocation) throws {
        let found = try contents()
        if found == now.numbers.map(Optional.some) { return }
        let wrong = found.indices.filter { found[$0] != now.numbers[$0] }
        let first = wrong.prefix(4).map {
            "unit \($0): \(found[$0].map(String.init) ?? "mixed") for \(now.numbers[$0])"
        }
        fail("\(wrong.count) units are wrong: \(first)", place)
    }

    /// Every pending cut reads as the volume was, and unchanged blocks are its parent's (G4, G6).
    func checkSnapshots(_ place: SourceLocation) throws {
        let wanted = pending.filter { !$0.isFinished }.map(\.snapshot)
        let found = live.pendingCuts
        #expect(found.map(\.snapshot) == wanted, "\(report)", sourceLocation: place)
        for cut in pending where !cut.isFinished {
            if let view = found.first(where: { $0.snapshot == cut.snapshot }) { try check(view, cut, place) }
        }
    }

    func changed(_ view: CutView) throws -> Set<Int> {
        var blocks: Set<Int> = [], position: BlockIndex = 0
        while let run = try view.nextChange(from: position) {
            blocks.formUnion(run.start.number..<run.end.number)
            position = run.end
        }
        return blocks
    }

    func check(_ view: CutView, _ cut: Pending, _ place: SourceLocation = #_sourceLocation) throws {
        guard let image = images[cut.snapshot] else { throw BenchFailure.missing(cut.snapshot) }
        #expect(view.size == ByteCount(image.numbers.count * unit), "\(cut.snapshot)", sourceLocation: place)
        #expect(view.parent == cut.parent, "\(cut.snapshot)", sourceLocation: place)
        let changed = try changed(view)
        let missed = image.differences(from: cut.parent.flatMap { images[$0] }).filter { !changed.contains($0) }
        if !missed.isEmpty {
            fail("\(cut.snapshot) changed in \(missed), which is not marked", place)
        }
        let recorded = view.capturedPacks.flatMap { $0.runs.flatMap { Array($0.start.number..<$0.end.number) } }
        #expect(cut.captured.isSubset(of: recorded), "captured blocks were forgotten", sourceLocation: place)
        for block in changed.subtracting(recorded).sorted() where block < image.blocks {
            let range = BlockRange(at: BlockIndex(block), count: 1)
            var bytes = [UInt8](repeating: 0xee, count: 4096)
            try bytes.writeBytes { (span) throws(BlockFailure) in try view.read(range, into: &span) }
            let found = Stamps.decode(bytes, at: block * image.perBlock, unit: unit)
            let isData = try view.nextData(from: range.start).map { $0.start == range.start } ?? false
            if found != image.block(block).map(Optional.some) {
                fail("\(cut.snapshot) block \(block) is \(found), not \(image.block(block))", place)
            }
            if !isData, image.block(block).contains(where: { $0 != 0 }) {
                fail("\(cut.snapshot) block \(block) is not called data", place)
            }
        }
    }

    /// What differs from the parent is marked as changed (G6).
    func checkDirty(_ place: SourceLocation) throws {
        #expect(live.status.parent == currentParent, "\(report)", sourceLocation: place)
        let changed = try changedBlocks()
        let missed = now.differences(from: currentParent.flatMap { images[$0] }).filter { !changed.contains($0) }
        if !missed.isEmpty {
            fail("blocks \(missed) changed and are not marked", place)
        }
    }

    /// What is called a hole reads as zeros.
    func checkAllocation(_ place: SourceLocation) throws {
        let size = live.size.bytes
        var position: ByteOffset = 0
        while position.bytes < size {
            let extents = try live.allocation(in: ByteRange(from: position, to: ByteOffset(size)))
            guard let last = extents.last else { break }
            for extent in extents where !extent.isSet {
                let units = (extent.range.start.bytes + unit - 1) / unit..<extent.range.end.bytes / unit
                let wrong = units.filter { now.numbers[$0] != 0 }
                #expect(wrong.isEmpty, "called a hole\n\(report)", sourceLocation: place)
            }
            position = last.range.end
        }
    }

    /// Records what went wrong, and ends the play: what follows would only be noise.
    func fail(_ what: String, _ place: SourceLocation) {
        if !hasFailed { Issue.record("\(what)\n\(report)", sourceLocation: place) }
        hasFailed = true
    }

    var report: String { "after \(story.count) steps: \(story.suffix(60).joined(separator: "; "))" }
}
