internal import ControlPlane

/// A category of disks, and where it has such, a performance level.
struct DiskCategory: Equatable {
    let name: String
    let level: String?

    private static let essd = "cloud_essd", regional = "cloud_regional_disk_auto"

    init(_ name: String, level: String? = nil) {
        self.name = name
        self.level = level
    }

    /// That of a new disk, `cloud` where none is asked for.
    init(_ parameters: ECSParameters) throws(ECSFailure) {
        let name = parameters["DiskCategory"] ?? "cloud"
        let level = name == Self.essd ? parameters["PerformanceLevel"] ?? "PL1" : nil
        if let level, !["PL0", "PL1", "PL2", "PL3"].contains(level) {
            throw ECSFailure(
                400, "InvalidPerformanceLevel.Malformed", "The specified parameter PerformanceLevel is not valid.")
        }
        self.init(name, level: level)
        guard kind != nil else {
            throw ECSFailure(
                400, "InvalidDiskCategory.ValueNotSupported",
                "The specified parameter \"DiskCategory\" is not valid.")
        }
    }

    /// That of a disk that is there; what another cloud's words made is of the usual category.
    init(of volume: VolumeView) {
        let parts = volume.profile.kind.split(separator: ".").map(String.init)
        let kind = volume.isPaced ? VolumeKind.named(volume.profile.kind) : nil
        guard let kind, kind.family == .alibaba, let name = parts.first else {
            self.init(Self.essd, level: "PL1")
            return
        }
        self.init(name, level: parts.count > 1 ? parts[1] : nil)
    }

    /// The control plane's kind of volume; nil: there is no such category.
    var kind: VolumeKind? {
        let kind = VolumeKind.named(level.map { "\(name).\($0)" } ?? name)
        return kind?.family == .alibaba ? kind : nil
    }

    /// Can several snapshots of one disk be under way?
    var isESSDFamily: Bool { !["cloud", "cloud_efficiency", "cloud_ssd"].contains(name) }

    /// Is such a disk in every zone of the region?
    var isRegional: Bool { name == Self.regional }

    /// Every category by its name alone.
    static let names = [
        "cloud", "cloud_efficiency", "cloud_ssd", essd, "cloud_auto", "cloud_essd_entry", regional,
    ]
}
