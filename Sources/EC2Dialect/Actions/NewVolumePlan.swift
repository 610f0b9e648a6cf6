internal import Blocks
internal import ControlPlane

/// What CreateVolume asks for, checked in the order and with the words of Amazon.
struct NewVolumePlan {
    let zone: String?
    let kind: VolumeKind
    let snapshot: String?
    private let gibibytes: Int?
    private let iops: Int?
    private let throughput: Int?
    private let isShared: Bool
    private let fillRate: Int?
    private let encrypted: Bool?
    private let key: String?
    private let tags: [String: String]
    private let token: RequestToken?
    /// The disk of an image that it is made of.
    private let imageDisk: ImageView.Disk?
    /// The volume that it is a copy of.
    private let source: String?

    init(_ call: EC2Call) throws(EC2Failure) {
        let zone = try Self.zone(call)
        try self.init(
            call.parameters, size: "Size", in: zone, tags: TagSpecifications.read(call, for: "volume"),
            token: call.parameters["ClientToken"])
    }

    /// A copy of a volume, which says what else there is to know.
    init(copyOf source: String, _ call: EC2Call) throws(EC2Failure) {
        try self.init(
            call.parameters, size: "Size", in: nil, tags: TagSpecifications.read(call, for: "volume"),
            token: call.parameters["ClientToken"], source: source)
    }

    /// A disk of an instance or image that is to be made.
    ///
    /// - Parameter disk: the disk of an image that it is, if it is one, with what is said of it besides.
    init(
        _ ebs: RequestParameters, tags: [String: String], over disk: ImageView.Disk? = nil, _ call: EC2Call
    ) throws(EC2Failure) {
        try self.init(ebs, size: "VolumeSize", in: call.region.zones[0].name, tags: tags, over: disk)
    }

    private init(
        _ parameters: RequestParameters, size: String, in zone: String?, tags: [String: String], token: String? = nil,
        over disk: ImageView.Disk? = nil, source: String? = nil
    ) throws(EC2Failure) {
        self.zone = zone
        self.tags = tags
        self.source = source
        imageDisk = disk
        let asked = parameters["VolumeType"].flatMap { $0.isEmpty ? nil : $0 }
        // Of another kind nothing is left of what the image says.
        let inherited = asked == nil || asked == disk?.profile?.kind ? disk?.profile : nil
        let known = inherited.flatMap { VolumeKind.named($0.kind) }
        kind = if let known { known } else { try Self.kind(asked) }
        iops = try Self.positive(parameters, "Iops") ?? inherited?.iops
        throughput = try Self.positive(parameters, "Throughput") ?? inherited?.throughput
        gibibytes = try Self.positive(parameters, size) ?? disk.map { VolumeWords.gibibytes($0.sizeBytes) }
        encrypted = try parameters.flag("Encrypted")
        isShared = try parameters.flag("MultiAttachEnabled") == true
        fillRate = try Self.positive(parameters, "VolumeInitializationRate")
        key = parameters["KmsKeyId"].flatMap { $0.isEmpty ? nil : $0 }
        let snapshotID = parameters["SnapshotId"].flatMap { $0.isEmpty || source != nil ? nil : $0 }
        snapshot = try snapshotID.map { (id) throws(EC2Failure) in try EC2Identifier.snapshot(id) } ?? disk?.snapshotId
        // The zone by its name, the kind as it is without one, and a throughput that a volume has anyway are said or not.
        var asks =
            [source ?? zone ?? "", kind.name] + [size, "SnapshotId", "Iops", "KmsKeyId"].map { parameters[$0] ?? "" }
        asks += [
            parameters["Encrypted"]?.lowercased() ?? "", parameters["MultiAttachEnabled"]?.lowercased() ?? "",
            parameters["VolumeInitializationRate"] ?? "",
            parameters["Throughput"].flatMap { $0 == "125" ? nil : $0 } ?? "",
        ]
        self.token = try Self.token(token, asking: asks, tags)
        if fillRate != nil, snapshot == nil || source != nil {
            throw .combination(
                "You can't specify VolumeInitializationRate for volumes that are not created from a snapshot.")
        }
        if let fault = kind.combinationFault(iops: iops, throughput: throughput) { throw failure(fault, gibibytes) }
        guard gibibytes != nil || snapshot != nil || source != nil else { throw .missing("size/snapshot") }
        if let fillRate, !CreateVolume.fillRates.contains(fillRate) {
            throw .invalidValue("The value specified for VolumeInitializationRate is not in the allowed range.")
        }
        try checkRanges(gibibytes)
        if isShared, !kind.mayBeShared { throw Self.notShared(kind) }
        if parameters.has("OutpostArn") { throw EC2Failure("UnsupportedOperation", "Outposts are not available here.") }
    }

    static func notShared(_ kind: VolumeKind) -> EC2Failure {
        .combination("The parameter multi-attach-enabled is not supported for \(kind.name) volumes.")
    }

    private static func token(
        _ text: String?, asking asks: [String], _ tags: [String: String]
    ) throws(EC2Failure) -> RequestToken? {
        guard let text = try RequestParameters.clientToken(text) else { return nil }
        let tags = tags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        return RequestToken(text, fingerprint: (asks + tags).map { "\($0.utf8.count):\($0)" }.joined())
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

    static func kind(_ name: String?) throws(EC2Failure) -> VolumeKind {
        guard let name, !name.isEmpty else { return .gp2 }
        guard let kind = VolumeKind.named(name), kind.family == .amazon else {
            throw EC2Failure("UnknownVolumeType", "Unsupported volume type '\(name)' for volume creation. ")
        }
        return kind
    }

    static func positive(_ parameters: RequestParameters, _ name: String) throws(EC2Failure) -> Int? {
        guard let number = try parameters.number(name) else { return nil }
        guard number > 0 else {
            throw .invalidValue(
                "Value (\(number)) for parameter \(name.loweredFirst) is invalid. Value must be a positive integer.")
        }
        return number
    }

    private func checkRanges(_ gibibytes: Int?) throws(EC2Failure) {
        if let fault = kind.rangeFault(gibibytes: gibibytes, iops: iops, throughput: throughput) {
            throw failure(fault, gibibytes)
        }
    }

    private func failure(_ fault: ProfileFault, _ gibibytes: Int?) -> EC2Failure {
        EC2Failure(fault, of: kind, gibibytes: gibibytes, iops: iops, throughput: throughput)
    }

    /// A disk of an image that is to be made.
    func imageDisk(_ device: String) -> NewImage.Disk {
        var disk = NewImage.Disk(device, snapshot: snapshot, size: gibibytes.map { ByteCount.gibibytes($0) })
        disk.profile = VolumeProfile(kind: kind.name, iops: iops, throughput: throughput)
        return disk
    }

    /// What the control plane is to make. A size below the snapshot's is raised to it, as Amazon does.
    func request(_ call: EC2Call) async throws -> CreateVolume {
        var size = gibibytes.map { ByteCount.gibibytes($0) }
        if let imageDisk, let asked = gibibytes, asked < VolumeWords.gibibytes(imageDisk.sizeBytes) {
            throw EC2Failure(
                "InvalidBlockDeviceMapping",
                "Volume of size \(asked)GB is smaller than snapshot '\(imageDisk.snapshotId ?? "")', expect size >= "
                    + "\(VolumeWords.gibibytes(imageDisk.sizeBytes))GB")
        }
        if imageDisk == nil, let snapshot {
            let view = try await call.verbs.snapshots.find(snapshot)
            let least = ByteCount.gibibytes(VolumeWords.gibibytes(view.volumeSizeBytes))
            size = max(size ?? least, least)
            if view.encrypted, encrypted == false {
                throw EC2Failure.combination(
                    "EncryptedVolume parameter [false] is inconsistent with snapshot encryption state [true]")
            }
            try checkRanges(VolumeWords.gibibytes((size ?? least).bytes))
        }
        if key != nil, encrypted != true {
            throw EC2Failure(
                "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        }
        return request(size, snapshot.map { .snapshot($0) } ?? .empty)
    }

    /// The copy of a volume that the control plane is to make, which knows whether its token made it before, and else whether the
    /// source lets it be made.
    func request(copyOf source: String) throws(EC2Failure) -> CreateVolume {
        if key != nil, encrypted != true {
            throw EC2Failure(
                "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        }
        return request(gibibytes.map { ByteCount.gibibytes($0) }, .volume(source))
    }

    /// Why a volume cannot be copied so, in Amazon's words, if it is for its size.
    func checkCopy(of volume: VolumeView) throws(EC2Failure) {
        let least = VolumeWords.gibibytes(volume.sizeBytes)
        if let gibibytes, gibibytes < least {
            throw .invalidValue(
                "The size of the copy, \(gibibytes) GiB, cannot be smaller than its source's, \(least) GiB.")
        }
        try checkRanges(gibibytes ?? least)
    }

    private func request(_ size: ByteCount?, _ origin: CreateVolume.Origin) -> CreateVolume {
        var request = CreateVolume(
            size: size, origin: origin, encryption: encrypted == true ? VolumeEncryption(key: key) : nil)
        request.tags = tags
        request.zone = zone
        request.token = token
        request.isShared = isShared
        request.fillRate = fillRate
        request.profile = VolumeProfile(kind: kind.name, iops: iops, throughput: throughput)
        return request
    }
}
