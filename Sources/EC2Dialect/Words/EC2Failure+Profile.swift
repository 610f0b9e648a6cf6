internal import ControlPlane

extension EC2Failure {
    /// What a kind of volume does not allow, in Amazon's words.
    init(_ fault: ProfileFault, of kind: VolumeKind, gibibytes: Int?, iops: Int?, throughput: Int?) {
        let (size, operations, speed) = (gibibytes ?? 0, iops ?? kind.baseIOPS ?? 0, throughput ?? 0)
        self =
            switch fault {
            case .operationsMissing: .combination("The parameter iops must be specified for \(kind.name) volumes.")
            case .operationsFixed: .combination("The parameter iops is not supported for \(kind.name) volumes.")
            case .throughputFixed: .combination("The throughput parameter is not supported for \(kind.name) volumes.")
            case .tooSmall(let least):
                .invalidValue(
                    "The volume size is invalid for \(kind.name) volumes: \(size) GiB. \(kind.name) volumes must be at least "
                        + "\(least) GiB in size. Please specify a volume size above the minimum limit.")
            case .tooLarge(let most):
                .invalidValue("Volume of \(size)GiB is too large for volume type \(kind.name); maximum is \(most)GiB")
            case .tooFewOperations(let least):
                .invalidValue("Volume iops of \(operations) is too low; minimum is \(least).")
            case .tooManyOperations(let most):
                .invalidValue("Volume iops of \(operations) is too high; maximum is \(most).")
            case .tooManyOperationsForSize(let ratio):
                .invalidValue(
                    "Iops to volume size ratio of \(Self.sixPlaces(operations, size)) is too high; maximum is \(ratio)")
            case .throughputTooLow(let least):
                .invalidValue("Volume throughput of \(speed) is too low; minimum is \(least).")
            case .throughputTooHigh(let most):
                .invalidValue("Volume throughput of \(speed) is too high; maximum is \(most).")
            case .throughputTooHighForOperations(let perMebibyte):
                .invalidValue(
                    "Throughput (MiBps) to iops ratio of \(Self.sixPlaces(speed, max(operations, kind.baseIOPS ?? 0))) is too "
                        + "high; maximum is \(Self.sixPlaces(1, perMebibyte)) MiBps per iops")
            }
    }

    /// `a / b` with six decimal places, rounded.
    private static func sixPlaces(_ a: Int, _ b: Int) -> String {
        let millionths = (a * 2_000_000 / max(1, b) + 1) / 2
        let rest = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - rest.count) + rest
    }
}
