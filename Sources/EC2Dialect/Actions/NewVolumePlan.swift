internal import Blocks
internal import ControlPlane

/// What CreateVolume asks for, checked in the order and with the words of Amazon.
struct NewVolumePlan {
    let zone: String
    let kind: VolumeKind
    let snapshot: String?
    private let gibibytes: Int?
    private let iops: Int?
    private let throughput: Int?
    private let encrypted: Bool?
    private let key: String?
    private let tags: [String: String]

    init(_ call: EC2Call) throws(EC2Failure) {
        let parameters = call.parameters
        zone = try Self.zone(call)
        tags = try TagSpecifications.read(call, for: "volume")
        kind = try Self.kind(parameters["VolumeType"])
        let (asked, askedThroughput) = (
            try Self.positive(parameters, "Iops"), try Self.positive(parameters, "Throughput")
        )
        // Less than a gp3 volume has anyway is raised to that, as Amazon does.
        let hasBase = kind == .gp3
        iops = hasBase && asked.map { (100..<3000).contains($0) } == true ? 3000 : asked
        throughput = hasBase && askedThroughput.map { $0 < 125 } == true ? 125 : askedThroughput
        gibibytes = try Self.positive(parameters, "Size")
        encrypted = try parameters.flag("Encrypted")
        key = parameters["KmsKeyId"].flatMap { $0.isEmpty ? nil : $0 }
        let snapshotID = parameters["SnapshotId"].flatMap { $0.isEmpty ? nil : $0 }
        snapshot = try snapshotID.map { (id) throws(EC2Failure) in try EC2Identifier.snapshot(id) }
        try checkCombinations()
        guard gibibytes != nil || snapshot != nil else { throw .missing("size/snapshot") }
        if let gibibytes { try Self.check(size: gibibytes, of: kind) }
        try checkSpeed(of: gibibytes)
        if try parameters.flag("MultiAttachEnabled") == true {
            throw kind == .io1 || kind == .io2
                ? EC2Failure("UnsupportedOperation", "Multi-Attach is not available here.")
                : .combination("The parameter multi-attach-enabled is not supported for \(kind.name) volumes.")
        }
        if parameters.has("OutpostArn") { throw EC2Failure("UnsupportedOperation", "Outposts are not available here.") }
    }

    private static func zone(_ call: EC2Call) throws(EC2Failure) -> String {
        let name = call.parameters["AvailabilityZone"], id = call.parameters["AvailabilityZoneId"]
        if name != nil, id != nil {
            throw .combination(
                "AvailabilityZone and AvailabilityZoneId can't be used together. Specify only one of these parameters.")
        }
        guard let asked = name ?? id, !asked.isEmpty else { throw .missing("zone") }
        guard let zone = call.region.zone(asked), name == nil || zone.name == asked else {
            throw EC2Failure("InvalidZone.NotFound", "The zone '\(asked)' does not exist.")
        }
        return zone.name
    }

    private static func kind(_ name: String?) throws(EC2Failure) -> VolumeKind {
        guard let name, !name.isEmpty else { return .gp2 }
        guard let kind = VolumeKind.named(name) else {
            throw EC2Failure("UnknownVolumeType", "Unsupported volume type '\(name)' for volume creation. ")
        }
        return kind
    }

    private static func positive(_ parameters: RequestParameters, _ name: String) throws(EC2Failure) -> Int? {
        guard let number = try parameters.number(name) else { return nil }
        guard number > 0 else {
            throw .invalidValue(
                "Value (\(number)) for parameter \(name.loweredFirst) is invalid. Value must be a positive integer.")
        }
        return number
    }

    private func checkCombinations() throws(EC2Failure) {
        if kind.needsIOPS, iops == nil {
            throw .combination("The parameter iops must be specified for \(kind.name) volumes.")
        }
        if kind.iops == nil, iops != nil {
            throw .combination("The parameter iops is not supported for \(kind.name) volumes.")
        }
        if kind.throughput == nil, throughput != nil {
            throw .combination("The throughput parameter is not supported for \(kind.name) volumes.")
        }
    }

    static func check(size: Int, of kind: VolumeKind) throws(EC2Failure) {
        let (least, most) = (kind.gibibytes.lowerBound, kind.gibibytes.upperBound)
        guard size >= least else {
            throw .invalidValue(
                "The volume size is invalid for \(kind.name) volumes: \(size) GiB. \(kind.name) volumes must be at least "
                    + "\(least) GiB in size. Please specify a volume size above the minimum limit.")
        }
        guard size <= most else {
            throw .invalidValue("Volume of \(size)GiB is too large for volume type \(kind.name); maximum is \(most)GiB")
        }
    }

    private func checkSpeed(of gibibytes: Int?) throws(EC2Failure) {
        if let iops, let allowed = kind.iops {
            guard iops >= allowed.lowerBound else {
                throw .invalidValue("Volume iops of \(iops) is too low; minimum is \(allowed.lowerBound).")
            }
            guard iops <= allowed.upperBound else {
                throw .invalidValue("Volume iops of \(iops) is too high; maximum is \(allowed.upperBound).")
            }
            // What a gp3 volume has anyway is no matter of its size.
            if let ratio = kind.iopsPerGibibyte, let gibibytes, iops > 3000 || kind != .gp3,
                iops > ratio * gibibytes
            {
                let found = Self.sixPlaces(iops, gibibytes)
                throw .invalidValue("Iops to volume size ratio of \(found) is too high; maximum is \(ratio)")
            }
        }
        if let throughput, let allowed = kind.throughput {
            guard throughput >= allowed.lowerBound else {
                throw .invalidValue("Volume throughput of \(throughput) is too low; minimum is \(allowed.lowerBound).")
            }
            guard throughput <= allowed.upperBound else {
                throw .invalidValue("Volume throughput of \(throughput) is too high; maximum is \(allowed.upperBound).")
            }
            let operations = iops ?? 3000
            guard throughput * 4 <= operations else {
                throw .invalidValue(
                    "Throughput (MiBps) to iops ratio of \(Self.sixPlaces(throughput, operations)) is too high; maximum is "
                        + "0.250000 MiBps per iops")
            }
        }
    }

    /// `a / b` with six decimal places, rounded.
    private static func sixPlaces(_ a: Int, _ b: Int) -> String {
        let millionths = (a * 2_000_000 / b + 1) / 2
        let rest = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - rest.count) + rest
    }

    /// What the control plane is to make. A size below the snapshot's is raised to it, as Amazon does.
    func request(_ call: EC2Call) async throws -> CreateVolume {
        var size = gibibytes.map { ByteCount.gibibytes($0) }
        if let snapshot {
            let view = try await call.verbs.snapshots.find(snapshot)
            let least = ByteCount.gibibytes(VolumeWords.gibibytes(view.volumeSizeBytes))
            size = max(size ?? least, least)
            if view.encrypted, encrypted == false {
                throw EC2Failure.combination(
                    "EncryptedVolume parameter [false] is inconsistent with snapshot encryption state [true]")
            }
            let gibibytes = VolumeWords.gibibytes((size ?? least).bytes)
            try Self.check(size: gibibytes, of: kind)
            try checkSpeed(of: gibibytes)
        }
        if key != nil, encrypted != true {
            throw EC2Failure(
                "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        }
        let isEncrypted = encrypted == true
        var request = CreateVolume(
            size: size, origin: snapshot.map { .snapshot($0) } ?? .empty,
            encryption: isEncrypted ? VolumeEncryption(key: key) : nil)
        request.tags = tags
        request.zone = zone
        request.profile = VolumeProfile(
            kind, size: size ?? .gibibytes(1), iops: iops, throughput: throughput)
        return request
    }
}
