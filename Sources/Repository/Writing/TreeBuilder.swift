internal import Blocks

/// Puts the inner nodes above changed leaves; everything else is the parent's, by pointer.
struct TreeBuilder {
    let parent: Tree
    let putNode: (_ bytes: [UInt8], _ what: PackFooter.What) throws(RepositoryFailure) -> FramePointer

    /// The new root. `leaves`: the changed leaves and their new pointers, nil for those that are all zero now.
    func build(_ leaves: [Int: FramePointer?], _ ledger: inout Ledger) throws(RepositoryFailure) -> FramePointer? {
        guard !leaves.isEmpty else { return parent.root }
        var changed = leaves
        for level in 1...Limits.rootLevel {
            var above: [Int: FramePointer?] = [:]
            let groups = Dictionary(grouping: changed.keys) { $0 >> 8 }
            for (number, children) in groups.sorted(by: { $0.key < $1.key }) {
                let old = try parent.pointer(level: level, number: number)
                var node = InnerNode(level: level, number: number)
                if let old { node = try parent.access.inner(old, level: level, number: number) }
                for child in children { node.children[child & 255] = changed[child] ?? nil }
                if let old { ledger.drop(old) }
                var new: FramePointer?
                if !node.children.isEmpty {
                    let pointer = try putNode(node.encoded(), .node(level: level, number: number))
                    ledger.add(pointer)
                    new = pointer
                }
                above[number] = .some(new)
            }
            changed = above
        }
        return changed[0] ?? nil
    }
}
