import Simulation

/// One thing that happens to a volume on the bench.
enum BenchStep: Equatable {
    case write(unit: Int, count: Int, durably: Bool)
    case zero(unit: Int, count: Int, mayPunch: Bool, durably: Bool)
    case trim(unit: Int, count: Int)
    case flush
    case cut
    /// Uploads changed blocks of the pending snapshot with this position: those whose number modulo `of` is `part`.
    case capture(cut: Int, part: Int, of: Int)
    /// Uploads all that is left of the oldest pending snapshot and commits its manifest.
    case finishOldest
    case cancelNewest
    case settle, hydrate
    /// Reads, which may fetch.
    case read(unit: Int, count: Int)
    /// To the committed snapshot with this position, by punching or with a new home.
    case rollBack(snapshot: Int, inPlace: Bool)
    /// Deletes the parent: counts changes from the committed snapshot before it, or from nothing.
    case rebase
    case grow(units: Int)
    case reopen(newBoot: Bool)
}

extension BenchStep {
    /// A step that suits most states of a volume of `count` units.
    static func random(_ random: inout SeededRandom, units count: Int, perBlock: Int) -> BenchStep {
        func range(_ random: inout SeededRandom) -> (Int, Int) {
            let start = random.below(count)
            let longest = min(count - start, random.oneIn(6) ? 40 * perBlock : 2 * perBlock + 1)
            if random.oneIn(3) {  // whole blocks
                let first = start / perBlock * perBlock
                return (first, min(count - first, (1 + random.below(4)) * perBlock))
            }
            return (start, 1 + random.below(longest))
        }
        let (unit, length) = range(&random)
        switch random.below(100) {
        case 0..<34: return .write(unit: unit, count: length, durably: random.oneIn(5))
        case 34..<40:
            return .zero(unit: unit, count: length, mayPunch: random.oneIn(2), durably: random.oneIn(5))
        case 40..<45: return .trim(unit: unit, count: length)
        case 45..<51: return .flush
        case 51..<61: return .cut
        case 61..<70:
            let of = 1 + random.below(3)
            return .capture(cut: random.below(4), part: random.below(of), of: of)
        case 70..<76: return .finishOldest
        case 76..<78: return .cancelNewest
        case 78..<85: return .settle
        case 85..<88: return .hydrate
        case 88..<92: return .read(unit: unit, count: length)
        case 92..<95: return .rollBack(snapshot: random.below(8), inPlace: !random.oneIn(3))
        case 95..<97: return .rebase
        case 97..<98: return .grow(units: 1 + random.below(3 * perBlock))
        default: return .reopen(newBoot: random.oneIn(2))
        }
    }
}

extension BenchStep: CustomStringConvertible {
    var description: String {
        switch self {
        case .write(let unit, let count, let durably): "write \(unit)+\(count)\(durably ? " FUA" : "")"
        case .zero(let unit, let count, let mayPunch, let durably):
            "zero \(unit)+\(count)\(mayPunch ? " punch" : "")\(durably ? " FUA" : "")"
        case .trim(let unit, let count): "trim \(unit)+\(count)"
        case .flush: "flush"
        case .cut: "cut"
        case .capture(let cut, let part, let of): "capture \(cut) \(part)/\(of)"
        case .finishOldest: "finish"
        case .cancelNewest: "cancel"
        case .settle: "settle"
        case .hydrate: "hydrate"
        case .read(let unit, let count): "read \(unit)+\(count)"
        case .rollBack(let snapshot, let inPlace): "rollback \(snapshot)\(inPlace ? " in place" : "")"
        case .rebase: "rebase"
        case .grow(let units): "grow \(units)"
        case .reopen(let newBoot): newBoot ? "reboot" : "reopen"
        }
    }
}
