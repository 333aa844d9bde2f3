using Sora.Training.Data;
using Sora.Weights;

namespace Sora.Training.FineTuning;

/// <summary>How a model that is there already is trained on: a LoRA beside its weights, or all weights of its transformer.</summary>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record FineTuningConfig
{
    private static readonly ValueRange<int> s_counts = new(1, 1_000_000);
    private static readonly ValueRange<long> s_steps = new(1, 1_000_000_000);
    private static readonly ValueRange<double> s_rates = new(1e-9, 1);
    private static readonly ValueRange<double> s_shares = new(0, 1);
    private static readonly ValueRange<double> s_shifts = new(0.01, 100);

    /// <summary>The model: a folder in the layout of diffusers, or any other that generates.</summary>
    public required string Model { get; init; }

    /// <summary>Where checkpoints, latents and metrics go.</summary>
    public required string RunFolder { get; init; }

    /// <summary>What is written: the <c>.safetensors</c> file of a LoRA, or the model folder of a full fine-tuning.</summary>
    public required string Output { get; init; }

    /// <summary>The LoRA; null trains all weights of the transformer.</summary>
    public LoraConfig? Lora { get; init; }

    /// <summary>What is learned from: the drawn world, or a folder of videos and images with captions.</summary>
    public TrainingData Data { get; init; } = TrainingData.World;

    /// <summary>The sizes and lengths of clips.</summary>
    public ClipShapes Shapes { get; init; } = new();

    /// <summary>Frames a second; null: the model's.</summary>
    public int? FramesPerSecond { get; init => field = s_counts.Require("frames_per_second", value); }

    /// <summary>The number of drawn clips; of a folder all are used.</summary>
    public int Clips { get; init => field = s_counts.Require("clips", value)!.Value; } = 200;

    /// <summary>Which transformer of a model with two.</summary>
    /// <value>Null in models with one.</value>
    public LoraExpert? Expert { get; init; }

    /// <summary>Optimiser steps.</summary>
    public long Steps { get; init => field = s_steps.Require("steps", value)!.Value; } = 2000;

    /// <summary>Clips in a batch, of whatever sizes.</summary>
    public int ClipsPerStep { get; init => field = s_counts.Require("clips_per_step", value)!.Value; } = 1;

    /// <summary>Batches whose gradients make one step.</summary>
    public int Accumulation { get; init => field = s_counts.Require("accumulation", value)!.Value; } = 1;

    /// <summary>The highest learning rate; null: 1e-4 for a LoRA, 1e-5 for all weights.</summary>
    public double? LearningRate { get; init => field = s_rates.Require("learning_rate", value); }

    /// <summary>Steps until the highest learning rate.</summary>
    public int WarmupSteps { get; init => field = s_counts.Require("warmup_steps", value)!.Value; } = 50;

    /// <summary>The share of clips without a caption.</summary>
    public double CaptionDropout { get; init => field = s_shares.Require("caption_dropout", value)!.Value; } = 0.1;

    /// <summary>The share of clips with a detailed caption, where there is one.</summary>
    public double DetailedShare { get; init => field = s_shares.Require("detailed_share", value)!.Value; } = 0.5;

    /// <summary>
    /// The noise levels before <see cref="Shift"/>; null: logit-normal around one half, with known frames in a quarter of the clips
    /// where the model was trained so.
    /// </summary>
    public NoiseLevels? Noise { get; init; }

    /// <summary>How far noise levels are moved towards noise, σ ← s·σ / (1 + (s − 1)·σ); null: as the model generates.</summary>
    public double? Shift { get; init => field = s_shifts.Require("shift", value); }

    /// <summary>Whether the inside of blocks is computed again in the backward pass, which takes a fraction of the memory.</summary>
    public bool ActivationCheckpointing { get; init; } = true;

    /// <summary>The device; null: CUDA where there is one.</summary>
    public string? Device { get; init; }

    /// <summary>The number format of a full fine-tuning's files.</summary>
    public WeightPrecision Precision { get; init; } = WeightPrecision.BF16;

    /// <summary>The memory of averaged weights, which are what is written; 0 writes the last ones.</summary>
    public double AverageDecay { get; init => field = s_shares.Require("average_decay", value)!.Value; }

    /// <summary>The seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 10;
}
