/// A regular expression over the characters of a text, found or not: nothing is remembered of where.
///
/// Characters, `.`, `[a-z]`, `[^a-z]`, `\d \w \s` and their opposites, `^`, `$`, `( )`, `(?: )`, `|`, and `* + ? {2} {2,} {2,5}`, lazy or
/// not. What needs a look around or back is refused: all ways are followed at once, so the time is bounded by the product of
/// pattern and text, whoever wrote either.
struct Pattern: Sendable {
    private enum Step: Sendable {
        case one(Characters)
        case split(Int, Int)
        case start, end, found
    }
    private let steps: [Step]

    private static let textMax = 1000
    private static let stepsMax = 5000
    /// Of all steps: so that what is kept of a pattern is bounded, too.
    private static let rangesMax = 20_000

    /// Reads it; ``ServiceError/Code/invalid`` if that cannot be done.
    init(_ text: String) throws {
        guard text.unicodeScalars.count <= Self.textMax else {
            throw ServiceError(.invalid, .policy, "a regular expression has \(Self.textMax) characters at most")
        }
        var reader = PatternReader(text)
        let tree = try reader.whole()
        var steps: [Step] = []
        var work = Work()
        try Self.write(tree, to: &steps, &work, text)
        steps.append(.found)
        self.steps = steps
    }

    /// What writing it took so far.
    private struct Work {
        var parts = 0
        var ranges = 0
    }

    private static func write(
        _ tree: PatternTree, to steps: inout [Step], _ work: inout Work, _ text: String
    ) throws {
        work.parts += 1
        if case .one(let characters) = tree { work.ranges += characters.ranges.count }
        guard work.parts <= stepsMax, steps.count <= stepsMax, work.ranges <= rangesMax else {
            throw PatternReader.refusal(text, "it repeats too much")
        }
        switch tree {
        case .one(let characters): steps.append(.one(characters))
        case .start: steps.append(.start)
        case .end: steps.append(.end)
        case .all(let parts): for part in parts { try write(part, to: &steps, &work, text) }
        case .any(let ways):
            // Each way but the last is a split; what follows it jumps over the others.
            var ends: [Int] = []
            for (index, way) in ways.enumerated() {
                let split = steps.count
                let isLast = index == ways.count - 1
                if !isLast { steps.append(.split(split + 1, split + 1)) }
                try write(way, to: &steps, &work, text)
                if isLast { break }
                ends.append(steps.count)
                steps.append(.split(0, 0))
                steps[split] = .split(split + 1, steps.count)
            }
            for end in ends { steps[end] = .split(steps.count, steps.count) }
        case .again(let part, let least, let most):
            for _ in 0..<least { try write(part, to: &steps, &work, text) }
            if let most {
                var splits: [Int] = []
                for _ in least..<most {
                    splits.append(steps.count)
                    steps.append(.split(0, 0))
                    try write(part, to: &steps, &work, text)
                }
                for split in splits { steps[split] = .split(split + 1, steps.count) }
            } else {
                let split = steps.count
                steps.append(.split(0, 0))
                try write(part, to: &steps, &work, text)
                steps.append(.split(split, split))
                steps[split] = .split(split + 1, steps.count)
            }
        }
    }

    /// Is it found somewhere in `text`?
    func isFound(in text: String) -> Bool {
        let characters = Array(text.unicodeScalars)
        var here: [Int] = []
        var seen = [Int](repeating: -1, count: steps.count)
        for place in 0...characters.count {
            // It may begin anywhere.
            if follow(0, at: place, of: characters.count, &here, &seen) { return true }
            guard place < characters.count else { return false }
            let standing = here
            here = []
            for step in standing {
                guard case .one(let wanted) = steps[step], wanted.contains(characters[place]) else { continue }
                if follow(step + 1, at: place + 1, of: characters.count, &here, &seen) { return true }
            }
        }
        return false
    }

    /// Adds the steps that wait for a character and are reached from `first` without one.
    ///
    /// - Returns: true if the end is.
    private func follow(
        _ first: Int, at place: Int, of count: Int, _ waiting: inout [Int], _ seen: inout [Int]
    ) -> Bool {
        var open = [first]
        while let step = open.popLast() {
            if seen[step] == place { continue }
            seen[step] = place
            switch steps[step] {
            case .found: return true
            case .one: waiting.append(step)
            case .start: if place == 0 { open.append(step + 1) }
            case .end: if place == count { open.append(step + 1) }
            case .split(let one, let other):
                open.append(other)
                open.append(one)
            }
        }
        return false
    }
}

/// Characters that one place of a pattern stands for.
struct Characters: Sendable {
    /// In order, with something between any two.
    let ranges: [ClosedRange<Unicode.Scalar>]
    let isOpposite: Bool

    /// - Parameter ranges: in any order; they may overlap.
    init(ranges: [ClosedRange<Unicode.Scalar>], isOpposite: Bool = false) {
        var merged: [ClosedRange<Unicode.Scalar>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound.value <= last.upperBound.value + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
        self.isOpposite = isOpposite
    }

    func contains(_ character: Unicode.Scalar) -> Bool {
        // The first range that does not end before it.
        var low = 0, high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < character { low = middle + 1 } else { high = middle }
        }
        return (low < ranges.count && ranges[low].contains(character)) != isOpposite
    }
}

/// A pattern that was read.
indirect enum PatternTree {
    case one(Characters)
    case start, end
    case all([PatternTree])
    case any([PatternTree])
    case again(PatternTree, least: Int, most: Int?)
}
