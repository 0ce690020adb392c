public import Support
public import Training

/// What is wrong with a data set, a model, a feature file or the folder of a run, as `captioner doctor` says it.
public typealias Diagnosis = Training.Diagnosis
/// A thing that is wrong: what, where, and what helps.
public typealias Finding = Support.Finding
