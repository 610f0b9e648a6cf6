internal import Blocks

/// All state of a simulated disk; reached only under its lock.
struct Platter: Sendable {
    var names = NameSpace()
    private var inodes: [Int: SimulatedInode] = [:]
    private var inodeCount = 0
    private(set) var capacityPages: Int
    var freePages: Int
    var random: SeededRandom
    /// Counts outages: handles and mounts of an older life are dead.
    var life = 0
    var operations = 0
    var changes = 0
    var handles = 0
    var deviceNumber: UInt64 = 77
    var syncFailures: [(suffix: String, left: Int)] = []
    var hook: (@Sendable (DiskOperation) -> DiskVerdict)?

    init(capacityPages: Int, seed: UInt64) {
        self.capacityPages = capacityPages
        freePages = capacityPages
        random = SeededRandom(seed: seed)
    }

    mutating func setCapacity(_ pages: Int) {
        freePages += pages - capacityPages
        capacityPages = pages
    }

    // MARK: Files

    func size(of file: Int) -> Int { inodes[file]?.size ?? 0 }
    func allocated(_ file: Int) -> Int { (inodes[file]?.present.count ?? 0) * PageContent.size }

    mutating func makeFile() throws(BlockFailure) -> Int {
        guard freePages > 0 else { throw .noSpace }
        inodeCount += 1
        inodes[inodeCount] = SimulatedInode()
        return inodeCount
    }

    /// Changes one file, and the free space with it.
    mutating func with<R>(
        _ file: Int, _ body: (inout SimulatedInode, inout Platter) throws(BlockFailure) -> R
    ) throws(BlockFailure) -> R {
        guard var inode = inodes.removeValue(forKey: file) else { throw .failed }
        defer { inodes[file] = inode }
        return try body(&inode, &self)
    }

    /// Is this the sync that was told to fail?
    mutating func takeSyncFailure(of path: String) -> Bool {
        for index in syncFailures.indices where path.hasSuffix(syncFailures[index].suffix) {
            syncFailures[index].left -= 1
            if syncFailures[index].left >= 0 { continue }
            syncFailures.remove(at: index)
            return true
        }
        return false
    }

    mutating func opened(_ file: Int) -> Int {
        handles += 1
        inodes[file]?.openCount += 1
        return handles
    }

    mutating func closed(_ file: Int, handle: Int) {
        inodes[file]?.openCount -= 1
        if inodes[file]?.lockHolder == handle { inodes[file]?.lockHolder = nil }
        dropForgotten()
    }

    mutating func failSync(_ file: Int) { inodes[file]?.failSync() }

    /// Frees files that nothing names, not even after power loss, and nobody has open.
    mutating func dropForgotten() {
        let reachable = names.reachable
        for (number, inode) in inodes where inode.openCount <= 0 && !reachable.contains(number) {
            inodes[number] = nil
        }
        recountSpace()
    }

    /// Removed files keep their content for a possible power loss, but take no space any more.
    private mutating func recountSpace() {
        let linked = names.linked
        var used = 0
        for (number, inode) in inodes where inode.openCount > 0 || linked.contains(number) {
            used += inode.present.count
        }
        freePages = capacityPages - used
    }

    // MARK: Outages

    mutating func kill() {
        life += 1
        for number in inodes.keys { inodes[number]?.closeAll() }
        dropForgotten()
    }

    mutating func losePower(seed: UInt64) {
        life += 1
        var random = SeededRandom(seed: seed)
        for number in inodes.keys.sorted() { inodes[number]?.losePower(&random) }
        names.losePower(&random)
        dropForgotten()
    }
}
