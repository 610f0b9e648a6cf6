/// The directories of a simulated disk: which names there are, and which of them survive power loss for sure.
///
/// A change of names is atomic by itself; not yet synced changes survive independently of each other, except that the
/// second half of a link-and-remove never survives without the first.
struct NameSpace: Sendable {
    enum Node: Hashable, Sendable {
        case file(Int)
        case directory(Int)
    }
    struct Edit: Sendable {
        var directory: Int
        var name: String
        var node: Node?
    }
    private struct Change: Sendable {
        var number: Int
        var edits: [Edit]
        var needs: Int?
    }
    typealias Tree = [Int: [String: Node]]

    static let root = 0
    private(set) var current: Tree = [root: [:]]
    private var durable: Tree = [root: [:]]
    private var pending: [Change] = []
    private var changes = 0
    private var directories = 1

    // MARK: Looking

    static func parts(of path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }

    func node(at path: String) -> Node? {
        var node = Node.directory(Self.root)
        for part in Self.parts(of: path) {
            guard case .directory(let number) = node, let next = current[number]?[part] else { return nil }
            node = next
        }
        return node
    }

    /// The directory that holds the last part of `path`, and that part.
    func place(of path: String) -> (directory: Int, name: String)? {
        let parts = Self.parts(of: path)
        guard let name = parts.last else { return nil }
        guard case .directory(let number) = node(at: parts.dropLast().joined(separator: "/")) else { return nil }
        return (number, name)
    }

    func names(in directory: Int) -> [String] { current[directory, default: [:]].keys.sorted() }

    /// Every file that has a name now.
    var linked: Set<Int> {
        var files: Set<Int> = []
        for names in current.values {
            for case .file(let number) in names.values { files.insert(number) }
        }
        return files
    }

    /// Every file that is named now or may be named again after power loss.
    var reachable: Set<Int> {
        var files: Set<Int> = []
        let nodes = [current, durable].flatMap { $0.values.flatMap(\.values) }
        let edited = pending.flatMap { $0.edits.compactMap(\.node) }
        for case .file(let number) in nodes + edited { files.insert(number) }
        return files
    }

    // MARK: Changing

    @discardableResult
    mutating func change(_ edits: [Edit], needs: Int? = nil) -> Int {
        changes += 1
        pending.append(Change(number: changes, edits: edits, needs: needs))
        for edit in edits { Self.apply(edit, to: &current) }
        return changes
    }

    mutating func makeDirectory(_ name: String, in parent: Int) {
        let number = directories
        directories += 1
        current[number] = [:]
        durable[number] = [:]
        change([Edit(directory: parent, name: name, node: .directory(number))])
    }

    /// Makes the names in a directory durable, and what their changes depend on.
    mutating func sync(_ directory: Int) {
        var wanted = Set(pending.filter { $0.edits.contains { $0.directory == directory } }.map(\.number))
        wanted.formUnion(pending.filter { wanted.contains($0.number) }.compactMap(\.needs))
        for change in pending where wanted.contains(change.number) {
            for edit in change.edits { Self.apply(edit, to: &durable) }
        }
        pending.removeAll { wanted.contains($0.number) }
    }

    mutating func losePower(_ random: inout SeededRandom) {
        var lost: Set<Int> = []
        for change in pending {
            let hasGround = change.needs.map { !lost.contains($0) } ?? true
            if hasGround && random.oneIn(2) {
                for edit in change.edits { Self.apply(edit, to: &durable) }
            } else {
                lost.insert(change.number)
            }
        }
        pending = []
        current = durable
    }

    private static func apply(_ edit: Edit, to tree: inout Tree) {
        tree[edit.directory, default: [:]][edit.name] = edit.node
    }
}
