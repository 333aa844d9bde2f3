namespace Sora.Training;

/// <summary>How <see cref="TrainingLoop"/> trains.</summary>
internal sealed record TrainingLoopOptions
{
    /// <summary>What the log calls the training.</summary>
    public required string Name { get; init; }

    /// <summary>Where checkpoint, metrics and samples go.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The user's settings, which the checkpoint keeps.</summary>
    public required TrainingSettings Settings { get; init; }

    /// <summary>Optimiser steps.</summary>
    public required long Steps { get; init; }

    /// <summary>The highest learning rate, of the parameters that Muon moves; AdamW's have half of it.</summary>
    public required double LearningRate { get; init; }

    /// <summary>AdamW's rate as a share of it.</summary>
    public double AdamShare { get; init; } = 0.5;

    /// <summary>Steps until the highest learning rate.</summary>
    public required long WarmupSteps { get; init; }

    /// <summary>The memory of the averaged weights; shorter during the first steps.</summary>
    public required double AverageDecay { get; init; }

    /// <summary>AdamW's memory of the squared gradient.</summary>
    public double AdamBeta2 { get; init; } = 0.99;

    /// <summary>Batches whose gradients make one step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>The longest that the gradient of all parameters together may be.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 5;

    /// <summary>Steps between lines of the log.</summary>
    public int LogSteps { get; init; } = 50;

    /// <summary>Steps between validations; 0 validates by the clock alone.</summary>
    public long ValidationSteps { get; init; }

    /// <summary>Minutes between validations; 0 validates by steps alone.</summary>
    public double ValidationMinutes { get; init; }

    /// <summary>Checkpoints between pictures of samples; 0 makes none.</summary>
    public int SampleCheckpoints { get; init; }

    /// <summary>Joins the gradients with those of other processes; null trains alone.</summary>
    public IGradientExchange? Exchange { get; init; }

    /// <summary>The checkpoint.</summary>
    public string StatePath => Path.Combine(RunFolder, $"{Name}-state.safetensors");

    /// <summary>Whether the training validates at all.</summary>
    public bool Validates => ValidationSteps > 0 || ValidationMinutes > 0;
}
