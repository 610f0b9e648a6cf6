internal import Blocks
internal import ControlPlane

extension KingsoftDialect {
    static let volumeActions: [KingsoftAction] = [
        .change(
            .ebs, "CreateVolume",
            lacks: "ClusterId is ignored; nothing is billed, and no volume ends at its ExpireTime", createVolume),
        .look(
            .ebs, "DescribeVolumes",
            knows: [
                "VolumeId", "VolumeCategory", "VolumeStatus", "VolumeType", "VolumeCreateDate",
                "VolumeCreateStartDate", "VolumeCreateEndDate", "SourceSnapshotId", "Tag", "Marker", "MaxResults",
                "VolumeExactName", "AvailabilityZone", "ProjectId",
            ], describeVolumes),
    ]

    // MARK: Making

    private static let createVolume: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let request = try await newVolume(call)
        try call.dryRun()
        let made = try await call.verbs.volumes.create(request)
        return .with { $0.add("VolumeId", KingsoftID.uuid(made.id, .volume)) }
    }

    private static func newVolume(_ call: KingsoftCall) async throws -> CreateVolume {
        let parameters = call.parameters
        guard let kind = try VolumeTypes.kind("VolumeType", call) else { throw KingsoftFailure.required("VolumeType") }
        let zone = try parameters.required("AvailabilityZone")
        guard call.region.zone(zone)?.name == zone else {
            throw KingsoftFailure.wrong("AvailabilityZone", "\(call.region.name) has no zone \(zone.shortened).")
        }
        let size = try parameters.number("Size", in: 1...65_536)
        var origin = CreateVolume.Origin.empty, least = 0
        if let uuid = parameters["SnapshotId"] {
            let snapshot = try await call.availableSnapshot(uuid: uuid)
            origin = .snapshot(snapshot.id)
            least = VolumeTypes.gibibytes(snapshot.volumeSizeBytes)
        }
        guard let gibibytes = size ?? (least > 0 ? least : nil) else { throw KingsoftFailure.required("Size") }
        guard gibibytes >= least else {
            throw KingsoftFailure.wrong("Size", "It is \(gibibytes); the snapshot has \(least) GB.")
        }
        let terms = try Terms(parameters)
        var request = CreateVolume(
            size: ByteCount.gibibytes(gibibytes), name: try Names.name("VolumeName", call), origin: origin)
        request.profile = try profile(kind, gibibytes, parameters)
        request.zone = zone
        request.tags = try tags(parameters)
        request.token = try call.token()
        request.description = try Names.newVolume(call)
        terms.write(to: &request.keepsakes)
        return request
    }

    /// What a kind makes of a size, if it can have that.
    static func profile(
        _ kind: VolumeKind, _ gibibytes: Int, _ parameters: KingsoftParameters
    ) throws(KingsoftFailure) -> VolumeProfile {
        if let fault = kind.rangeFault(gibibytes: gibibytes, iops: nil, throughput: nil) {
            throw .wrong("Size", sizeFault(fault, of: kind, gibibytes))
        }
        guard let asked = try parameters.number("ProvisionedIops", in: 1...50_000) else {
            return VolumeProfile(kind: kind.name)
        }
        guard kind.iops != nil else {
            throw .wrong("ProvisionedIops", "Volumes of type \(kind.name) have as many as their size says.")
        }
        let base = VolumeProfile(kind, size: .gibibytes(gibibytes)).iops ?? 0
        return VolumeProfile(kind: kind.name, iops: base + asked)
    }

    private static func sizeFault(_ fault: ProfileFault, of kind: VolumeKind, _ gibibytes: Int) -> String {
        "It is \(gibibytes); \(kind.gibibytes.lowerBound) to \(kind.gibibytes.upperBound) GB are allowed for \(kind.name)."
    }

    /// `Tag.N.Key` and `Tag.N.Value`.
    static func tags(_ parameters: KingsoftParameters) throws(KingsoftFailure) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in parameters.structures("Tag") {
            guard let key = tag["Key"] else { throw .required("Tag") }
            guard tags.updateValue(tag["Value"] ?? "", forKey: key) == nil else {
                throw .wrong("Tag", "The key \(key.shortened) is there twice.")
            }
        }
        return tags
    }

    // MARK: Looking

    private static let describeVolumes: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let filter = try VolumeFilter(call.parameters)
        let around = try await VolumeSurroundings(call)
        var found = try await call.verbs.volumes.list().filter { $0.state != .deleting }
            .map { Listed(volume: $0, isBinned: false) }
        if filter.looksIntoBin {
            found += try await call.verbs.bin.list().volumes.map { Listed(volume: $0.object, isBinned: true) }
        }
        let shown = found.filter { filter.matches($0.volume, isBinned: $0.isBinned, around) }
            .sorted { ($0.volume.createdAt, $0.volume.id) < ($1.volume.createdAt, $1.volume.id) }
            .compactMap { VolumeWords.fields($0.volume, isBinned: $0.isBinned, around) }
        let first = min(filter.marker, shown.count), last = min(shown.count, first + filter.count)
        return .with { fields in
            fields.add("Volumes", Array(shown[first..<last]))
            fields.add("TotalCount", shown.count)
            if last < shown.count { fields.add("Marker", last) }
        }
    }

    private struct Listed {
        let volume: VolumeView
        let isBinned: Bool
    }
}

/// Which volumes are asked for. An id that nobody has is no error: the answer has none.
struct VolumeFilter {
    private let ids: [String]?
    private let category: String?
    private let state: String?
    private let type: String?
    private let name: String?
    private let zone: String?
    private let snapshot: String?
    private let days: (first: String, last: String)
    private let tags: [(key: String, value: String?)]
    private let projects: [String]
    /// The first row, and how many.
    let marker: Int
    let count: Int

    init(_ parameters: KingsoftParameters) throws(KingsoftFailure) {
        let asked = parameters.list("VolumeId")
        guard asked.count <= 100 else { throw .wrong("VolumeId", "At most 100 are allowed.") }
        ids = asked.isEmpty ? nil : asked.map { $0.lowercased() }
        category = try parameters.word("VolumeCategory", of: ["system", "data"])
        let word = try parameters.word("VolumeStatus", of: VolumeWords.states)
        state = word == "inuse" ? "in-use" : word
        type = parameters["VolumeType"]
        name = parameters["VolumeExactName"]
        zone = parameters["AvailabilityZone"]
        snapshot = parameters["SourceSnapshotId"]?.lowercased()
        days = try Self.days(parameters)
        let pairs = parameters.structures("Tag")
        guard pairs.count <= 20 else { throw .wrong("Tag", "At most 20 are allowed.") }
        var tags: [(key: String, value: String?)] = []
        for pair in pairs {
            guard let key = pair["Key"] else { throw .wrong("Tag", "A value needs its key.") }
            tags.append((key, pair["Value"]))
        }
        self.tags = tags
        projects = parameters.list("ProjectId")
        marker = try parameters.number("Marker", in: 0...Int.max) ?? 0
        count = min(1000, try parameters.number("MaxResults", in: 1...Int.max) ?? 10)
    }

    private static func days(_ parameters: KingsoftParameters) throws(KingsoftFailure) -> (first: String, last: String)
    {
        for name in ["VolumeCreateDate", "VolumeCreateStartDate", "VolumeCreateEndDate"] {
            guard let day = parameters[name] else { continue }
            guard KingsoftTime.isDay(day) else { throw .wrong(name, "It is a day as in 2026-11-21.") }
        }
        let day = parameters["VolumeCreateDate"]
        return (
            day ?? parameters["VolumeCreateStartDate"] ?? "", day ?? parameters["VolumeCreateEndDate"] ?? "9999-99-99"
        )
    }

    /// What is in the recycle bin is shown to who asks for that, or knows its id, so that nobody finds it by its name.
    var looksIntoBin: Bool { ids != nil || state == "recycling" }

    func matches(_ volume: VolumeView, isBinned: Bool, _ around: VolumeSurroundings) -> Bool {
        if !projects.isEmpty, !projects.contains("\(Terms(volume.keepsakes).project)") { return false }
        if let ids, !ids.contains(KingsoftID.uuid(volume.id, .volume) ?? "") { return false }
        if let category, around.category(volume.id) != category { return false }
        if let state, state != (isBinned ? "recycling" : VolumeWords.state(volume.state)) { return false }
        if let type, VolumeTypes.type(of: volume) != type { return false }
        if let name, VolumeWords.name(of: volume) != name { return false }
        if let zone, volume.zone != zone { return false }
        if let snapshot, volume.originSnapshotId.flatMap({ KingsoftID.uuid($0, .snapshot) }) != snapshot {
            return false
        }
        let day = KingsoftTime.day(volume.createdAt)
        guard days.first <= day, day <= days.last else { return false }
        return tags.allSatisfy { tag in
            guard let value = volume.tags?[tag.key] else { return false }
            return tag.value == nil || tag.value == value
        }
    }
}
