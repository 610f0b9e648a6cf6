internal import Blocks

/// Lists files below a root in key order, entering only folders that can hold an answer.
///
/// Key order is byte order of whole keys, where `/` sorts after `-` and `.`: so a folder's name is compared with its
/// slash (`a-b` before `a/c`), which a plain sorted walk gets wrong.
struct DirectoryWalk {
    private let prefix: String
    private let startAfter: String
    private let limit: Int
    private(set) var found: [ObjectEntry] = []

    init(prefix: String, startAfter: String?, limit: Int) {
        self.prefix = prefix
        self.startAfter = startAfter ?? ""
        self.limit = limit
    }

    mutating func run(disk: any Disk, root: String) throws(DiskFailure) {
        try walk(disk, root, below: "")
    }

    private mutating func walk(_ disk: any Disk, _ root: String, below folder: String) throws(DiskFailure) {
        guard found.count < limit else { return }
        var names: [String]
        do { names = try disk.list(root + "/" + folder) } catch {
            if error.isMissing { return }
            throw error
        }
        if folder.isEmpty { names.removeAll { $0.hasPrefix(".") } }
        var entries: [(key: String, facts: FileFacts)] = []
        for name in names where canHold(folder + name) {
            guard let facts = try disk.facts(root + "/" + folder + name) else { continue }
            entries.append((folder + name + (facts.isDirectory ? "/" : ""), facts))
        }
        entries.sort { $0.key < $1.key }
        for entry in entries {
            guard found.count < limit else { return }
            if entry.facts.isDirectory {
                // Skip folders all of whose keys come before the start.
                if entry.key < startAfter, !startAfter.hasPrefix(entry.key) { continue }
                try walk(disk, root, below: entry.key)
            } else if entry.key.hasPrefix(prefix), entry.key > startAfter {
                let modified = WallTime(milliseconds: entry.facts.modified * 1000)
                found.append(ObjectEntry(key: entry.key, size: entry.facts.size, modified: modified))
            }
        }
    }

    /// May `path`, or something below it, start with the prefix?
    private func canHold(_ path: String) -> Bool {
        path.hasPrefix(prefix) || prefix.hasPrefix(path)
    }
}
