internal import Blocks
internal import Simulation
internal import VolumeEngine

/// A volume beside what it must hold.
final class ModelDisk {
    let name: String
    var volume: Volume?
    /// What it holds.
    var now: Stamps
    /// For each sector, everything it may show after power loss; the last one is what it holds.
    var survivors: [[UInt32]]
    /// What the newest epoch counts from once no cut is left.
    var parent: String?
    /// Its snapshots whose cuts are not settled, oldest first.
    var cuts: [String] = []

    init(_ name: String, _ content: Stamps, parent: String?) {
        self.name = name
        self.parent = parent
        now = content
        survivors = content.numbers.map { [$0] }
    }

    var directory: String { "/volumes/" + name }
    var live: Volume {
        guard let volume else { preconditionFailure("\(name) is not open") }
        return volume
    }
    var currentParent: String? { cuts.last ?? parent }
    var sectors: Int { now.numbers.count }

    func wrote(_ range: Range<Int>, _ number: UInt32, durably: Bool) {
        for unit in range {
            now.numbers[unit] = number
            survivors[unit] = durably ? [number] : survivors[unit] + [number]
        }
    }
    func resize(to count: Int) {
        survivors += [[UInt32]](repeating: [0], count: max(0, count - sectors))
        now = now.resized(to: count)
    }
    func replace(_ content: Stamps) {
        now = content
        survivors = content.numbers.map { [$0] }
    }
}

/// A snapshot beside what it must hold.
struct ModelSnapshot {
    enum State { case pending, committed, deleting, gone }
    let id: String
    let disk: String
    var parent: String?
    var image: Stamps
    /// Sectors of a write that was in flight at the cut: they may hold this instead, until the first look at the cut.
    var either: [Int: UInt32] = [:]
    var state = State.pending
    let order: Int
    /// The blocks that its cut marks, once looked at.
    var marked = 0
    /// Uploads begun.
    var tries = 0
}

/// A write of another thread between its start and the moment we wait for it.
struct Flight {
    let straggler: Straggler
    /// When it was sent: does its volume need the store, and how often had that failed?
    let isRestoring: Bool
    let faults: Int
    /// Sectors that others wrote meanwhile: whoever came last won.
    var crossed: Set<Int> = []
    /// Steps until it is let go.
    var steps: Int

    var range: Range<Int> { straggler.range }
    var number: UInt32 { straggler.number }
}

extension Stamps {
    func filled(_ range: Range<Int>, _ number: UInt32) -> Stamps {
        var copy = self
        for index in range { copy.numbers[index] = number }
        return copy
    }
}
