import Testing

@testable import Training

@Suite struct TrainingPresetTests {
  /// Every option of every preset exists, takes its value, has an effect, and goes with the others.
  @Test(arguments: TrainingPreset.all.map(\.name)) func setsWhatItSays(name: String) throws {
    let preset = try #require(TrainingPreset(named: name))
    var configuration = TrainingConfiguration()
    preset.apply(to: &configuration)
    #expect(configuration.problem == nil)
    for option in preset.options {
      let setting = try #require(TrainingSettings.list.first { $0.name == option.name }, "\(option.name)")
      #expect(TrainingPreset.assignment(option) != nil, "\(option.name) \(option.value)")
      #expect(setting.idleness(in: configuration) == nil, "\(option.name)")
      let text = ["true": "yes", "false": "no"][option.value] ?? option.value
      let found = setting.text(in: configuration)
      #expect(found == text || Double(found) == Double(text), "\(option.name): \(found)")
    }
  }

  @Test func theFactoredNetworkShowsItsSecondLayer() throws {
    var configuration = TrainingConfiguration()
    try #require(TrainingPreset(named: "lrcn-2f")).apply(to: &configuration)
    #expect(configuration.decoder.layers == 2 && configuration.decoder.contextLayer == 1)
  }

  @Test func unknownNamesHaveNone() {
    #expect(TrainingPreset(named: "show") == nil)
    #expect(Set(TrainingPreset.all.map(\.name)).count == TrainingPreset.all.count)
  }
}
