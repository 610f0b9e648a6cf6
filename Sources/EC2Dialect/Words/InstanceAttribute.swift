internal import ControlPlane

/// What DescribeInstanceAttribute and ModifyInstanceAttribute call an instance's attributes.
enum InstanceAttribute: String {
    case instanceType, kernel, ramdisk, userData, disableApiTermination, instanceInitiatedShutdownBehavior,
        rootDeviceName
    case blockDeviceMapping, productCodes, sourceDestCheck, groupSet, ebsOptimized, sriovNetSupport, enaSupport
    case enclaveOptions, disableApiStop

    init(_ name: String?) throws(EC2Failure) {
        guard let name, !name.isEmpty else { throw .missing("attribute") }
        guard let attribute = Self(rawValue: name) else {
            throw .invalidValue("Value (\(name)) for parameter attribute is invalid. Unknown attribute.")
        }
        self = attribute
    }

    /// Its element. What a host without networks has none of is empty or false.
    func write(_ instance: InstanceView, _ attributes: InstanceAttributes, into writer: inout XMLWriter) {
        func text(_ value: String?) { writer.add(rawValue) { $0.add("value", value) } }
        func flag(_ value: Bool) { writer.add(rawValue) { $0.add("value", value) } }
        switch self {
        case .instanceType: text(instance.kind)
        case .userData: text(attributes.userData)
        case .kernel, .ramdisk, .sriovNetSupport: text(nil)
        case .instanceInitiatedShutdownBehavior: text(attributes.endsOnShutdown ? "terminate" : "stop")
        case .rootDeviceName: text(instance.rootDevice ?? InstanceWords.usualRootDevice)
        case .disableApiTermination: flag(instance.isKept)
        case .disableApiStop: flag(attributes.isKeptRunning)
        case .sourceDestCheck: flag(true)
        case .ebsOptimized, .enaSupport: flag(false)
        case .enclaveOptions: writer.add(rawValue) { $0.add("enabled", false) }
        case .blockDeviceMapping: InstanceWords.write(disks: instance, into: &writer)
        case .productCodes: writer.list(rawValue, [String]()) { $0.add("productCode", $1) }
        case .groupSet: writer.list(rawValue, [String]()) { $0.add("groupId", $1) }
        }
    }

    /// What ModifyInstanceAttribute asks for, in either of its two styles: `DisableApiStop.Value=true`, or
    /// `Attribute=disableApiStop` with `Value=true`.
    static func change(_ parameters: RequestParameters) throws(EC2Failure) -> InstanceChange {
        var change = InstanceChange()
        let named = try parameters["Attribute"].map { (name) throws(EC2Failure) in try InstanceAttribute(name) }
        func key(_ attribute: InstanceAttribute, _ name: String) -> String {
            named == attribute ? "Value" : "\(name).Value"
        }
        change.kind = parameters[key(.instanceType, "InstanceType")]
        change.isKept = try parameters.flag(key(.disableApiTermination, "DisableApiTermination"))
        change.isKeptRunning = try parameters.flag(key(.disableApiStop, "DisableApiStop"))
        change.userData = parameters[key(.userData, "UserData")]
        if let word = parameters[key(.instanceInitiatedShutdownBehavior, "InstanceInitiatedShutdownBehavior")] {
            change.endsOnShutdown = try endsOnShutdown(word)
        }
        for mapping in parameters.structures("BlockDeviceMapping") {
            guard let device = mapping["DeviceName"], !device.isEmpty else { throw .missing("DeviceName") }
            if let goes = try mapping.flag("Ebs.DeleteOnTermination") { change.goesWithInstance[device] = goes }
        }
        guard change != InstanceChange() else {
            throw named == nil && !parameters.has("Value")
                ? .combination("No attributes specified.")
                : EC2Failure("UnsupportedOperation", "This attribute cannot be changed here.")
        }
        return change
    }

    static func endsOnShutdown(_ word: String) throws(EC2Failure) -> Bool {
        switch word {
        case "stop": return false
        case "terminate": return true
        default:
            throw .invalidValue("Value (\(word)) for parameter instanceInitiatedShutdownBehavior is invalid.")
        }
    }
}
