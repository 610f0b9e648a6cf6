internal import Blocks
internal import ControlPlane

/// Which snapshots are asked for: all that is said must hold.
struct SnapshotFilter {
    /// The control plane's ids; nil: any. Those that nobody has are left out.
    private(set) var ids: [String]?
    private var disks: Set<String>?
    /// Likewise of the volumes they were taken of; nil also if these are too many to name.
    var volumes: [String]? { disks.flatMap { $0.count <= SnapshotSelection.valuesMax ? $0.sorted() : nil } }
    private var tags: [(key: String, value: String?)] = []
    private var words: [(name: String, value: String)] = []
    private var since: WallTime?
    private var until: WallTime?

    init(_ call: ECSCall) async throws {
        let parameters = call.parameters
        if let names = try parameters.array("SnapshotIds") {
            guard names.count <= 100 else {
                throw ECSFailure(
                    403, "InvalidSnapshotIds.Malformed",
                    "The amount of specified specified snapshot Ids exceeds the limit.")
            }
            ids = names.compactMap { ECSID.native($0, .snapshot) }
        }
        if let id = parameters["DiskId"] { disks = Set([ECSID.native(id, .disk)].compactMap { $0 }) }
        if let id = parameters["InstanceId"] {
            let instance: InstanceView?
            // That there is none is an empty answer; that it cannot be told is none.
            do { instance = try await call.instance(named: id) } catch is ECSFailure { instance = nil }
            let present = Set(instance?.disks.map(\.volumeId) ?? [])
            disks = disks.map { $0.intersection(present) } ?? present
        }
        tags = try Tags.filter(parameters)
        if let group = try ResourceGroups.filter(call) { words.append(("ResourceGroupId", group)) }
        try readWords(parameters)
        try readTimes(parameters)
    }

    private mutating func readWords(_ parameters: ECSParameters) throws(ECSFailure) {
        let known: [(name: String, values: [String], failure: ECSFailure)] = [
            (
                "Status", ["progressing", "accomplished", "failed", "all"],
                ECSFailure(404, "InvalidStatus.NotFound", "The specified Status is not found.")
            ),
            (
                "SnapshotType", ["auto", "user", "timer", "all"],
                ECSFailure(404, "InvalidSnapshotType.NotFound", "The specfied SnapshotType is not found.")
            ),
            (
                "Usage", ["none", "disk", "image", "image_disk"],
                ECSFailure(404, "InvalidUsage", "The specifed Usage is not valid.")
            ),
            (
                "SourceDiskType", ["system", "data"],
                ECSFailure(404, "InvalidSourceDiskType", "The specifed SourceDiskType is not valid.")
            ),
            ("Category", ["standard", "flash", "archive"], .parameter("Category")),
            ("Encrypted", ["true", "false"], .parameter("Encrypted")),
        ]
        for (name, values, failure) in known {
            guard let text = parameters[name]?.lowercased() else { continue }
            guard values.contains(text) else { throw failure }
            if text != "all" { words.append((name, text)) }
        }
        for name in ["SnapshotName", "KMSKeyId"] {
            if let text = parameters[name] { words.append((name, text)) }
        }
        if let chain = parameters["SnapshotLinkId"] {
            guard let disk = ECSID.native(chain, .chain) else {
                throw ECSFailure(
                    404, "InvalidSnapshotLinkId.NotFound", "The specified snapshot link is not found.")
            }
            disks = disks.map { $0.intersection([disk]) } ?? [disk]
        }
    }

    private mutating func readTimes(_ parameters: ECSParameters) throws(ECSFailure) {
        for number in parameters.numbers("Filter") {
            guard let key = parameters["Filter.\(number).Key"] else { continue }
            let text = parameters["Filter.\(number).Value"] ?? ""
            guard let time = WallTime(text) ?? WallTime(String(text.dropLast()) + ":00Z") else {
                throw ECSFailure(404, "InvalidFilterValue", "The specified FilterValue exceeds the limit.")
            }
            switch key {
            case "CreationStartTime": since = time
            case "CreationEndTime": until = time
            default: throw ECSFailure(404, "InvalidFilterKey.NotFound", "The specified FilterKey is not found.")
            }
        }
    }

    func takes(_ snapshot: SnapshotView, _ use: SnapshotUse) -> Bool {
        guard disks?.contains(snapshot.volumeId) ?? true, Tags.match(snapshot.tags, tags) else { return false }
        guard since.map({ snapshot.createdAt >= $0 }) ?? true, until.map({ snapshot.createdAt <= $0 }) ?? true else {
            return false
        }
        return words.allSatisfy { $0.value == Self.word($0.name, snapshot, use) }
    }

    private static func word(_ name: String, _ snapshot: SnapshotView, _ use: SnapshotUse) -> String {
        switch name {
        case "Status": SnapshotWords.status(snapshot)
        case "SnapshotType": SnapshotWords.type(snapshot)
        case "Usage": SnapshotWords.usage(snapshot, use)
        case "SourceDiskType": use.systemDisks.contains(snapshot.volumeId) ? "system" : "data"
        case "Category": SnapshotWords.category(snapshot)
        case "Encrypted": snapshot.encrypted ? "true" : "false"
        case "SnapshotName": SnapshotWords.name(snapshot)
        case "ResourceGroupId": use.groups.name(of: snapshot.id)
        default: snapshot.keyId ?? ""
        }
    }
}
