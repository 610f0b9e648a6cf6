internal import Blocks

/// Puts a new leaf together: the parent's runs where nothing changed, new frames where something did. Pure.
struct LeafAssembly {
    /// Where one block lies; nil: zero.
    private struct Place: Equatable {
        var frame: FramePointer
        var first: Int
    }
    private var places: [Place?] = Array(repeating: nil, count: Limits.leafBlocks)
    private let number: Int

    /// - Parameter stored: the new frames and the leaf's blocks that each holds, in order.
    init(_ state: LeafState, parent: Leaf?, stored: [(frame: FramePointer, blocks: [Int])]) {
        number = state.number
        for run in parent?.runs ?? [] {
            guard let parent else { break }
            for step in 0..<run.count where run.start + step < state.count {
                switch state.fates[run.start + step] {
                case .kept, .same:
                    places[run.start + step] = Place(frame: parent.frames[run.frame], first: run.first + step)
                case .pending, .zero, .uploaded, .rewritten: break
                }
            }
        }
        for index in 0..<state.count where state.fates[index] == .uploaded {
            guard case .frame(let frame, let first) = state.uploaded.places[index] else { continue }
            places[index] = Place(frame: state.uploaded.frames[frame], first: first)
        }
        for (frame, blocks) in stored {
            for (first, index) in blocks.enumerated() { places[index] = Place(frame: frame, first: first) }
        }
    }

    /// The leaf, or nil if all of it is zero.
    func leaf() -> Leaf? {
        var leaf = Leaf(number: number)
        var indexes: [FramePointer: Int] = [:]
        var last: (index: Int, place: Place)?
        for (index, place) in places.enumerated() {
            guard let place else { continue }
            if let last, last.index + 1 == index, last.place.frame == place.frame, last.place.first + 1 == place.first {
                leaf.runs[leaf.runs.count - 1].count += 1
            } else {
                let known = indexes[place.frame]
                let frame = known ?? leaf.frames.count
                if known == nil {
                    indexes[place.frame] = frame
                    leaf.frames.append(place.frame)
                }
                leaf.runs.append(Leaf.Run(start: index, count: 1, frame: frame, first: place.first))
            }
            last = (index, place)
        }
        return leaf.frames.isEmpty ? nil : leaf
    }
}
