internal import Blocks

/// A snapshot's tree: from leaf numbers to leaves, by way of the nodes' cache.
struct Tree: Sendable {
    let root: FramePointer?
    let access: PackAccess

    /// The leaf and its pointer; nil if all its blocks are zero.
    func leaf(_ number: Int) throws(RepositoryFailure) -> (pointer: FramePointer, leaf: Leaf)? {
        guard let pointer = try pointer(level: 0, number: number) else { return nil }
        return (pointer, try access.leaf(pointer, number: number))
    }

    /// The pointer to a node, or nil if nothing is stored below it.
    func pointer(level: Int, number: Int) throws(RepositoryFailure) -> FramePointer? {
        precondition(number >= 0 && number < TreeShape.leaves(level: Limits.rootLevel - level))
        guard var found = root else { return nil }
        for parentLevel in stride(from: Limits.rootLevel, to: level, by: -1) {
            let node = try access.inner(found, level: parentLevel, number: number >> (8 * (parentLevel - level)))
            let slot = number >> (8 * (parentLevel - 1 - level)) & 255
            guard let child = node.children[slot] else { return nil }
            found = child
        }
        return found
    }

    /// The first leaf with something in it, at or after `number`.
    func nextLeaf(from number: Int) throws(RepositoryFailure) -> Int? {
        guard let root, number < Limits.leaves else { return nil }
        return try nextLeaf(from: number, below: root, level: Limits.rootLevel, node: 0)
    }

    private func nextLeaf(
        from number: Int, below pointer: FramePointer, level: Int, node: Int
    ) throws(RepositoryFailure) -> Int? {
        if level == 0 { return node }
        let inner = try access.inner(pointer, level: level, number: node)
        let width = TreeShape.leaves(level: level - 1)
        for slot in 0..<Limits.fanout {
            guard let child = inner.children[slot] else { continue }
            let childNode = node << 8 | slot
            guard (childNode + 1) * width > number else { continue }
            if let found = try nextLeaf(from: number, below: child, level: level - 1, node: childNode) { return found }
        }
        return nil
    }
}
