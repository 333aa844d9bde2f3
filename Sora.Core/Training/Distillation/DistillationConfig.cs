using Sora.Training.FineTuning;
using Sora.Weights;

namespace Sora.Training.Distillation;

/// <summary>How a model is taught to reach in a few steps, without guidance, what it reaches in many with guidance.</summary>
/// <exception cref="SoraException">A value lies outside its range.</exception>
public sealed record DistillationConfig
{
    private static readonly ValueRange<int> s_counts = new(1, 1_000_000);
    private static readonly ValueRange<int> s_few = new(1, 100);
    private static readonly ValueRange<int> s_many = new(2, 1000);
    private static readonly ValueRange<long> s_steps = new(1, 1_000_000_000);
    private static readonly ValueRange<double> s_rates = new(1e-9, 1);
    private static readonly ValueRange<double> s_shares = new(0, 1);
    private static readonly ValueRange<float> s_guidance = new(0, 100);
    private static readonly ValueRange<float> s_weaker = new(1, 100);
    private static readonly ValueRange<float> s_shifts = new(0.01f, 100);

    /// <summary>The model: a folder in the layout of diffusers.</summary>
    public required string Model { get; init; }

    /// <summary>Where the teacher's videos, checkpoints and metrics go.</summary>
    public required string RunFolder { get; init; }

    /// <summary>What is written: the <c>.safetensors</c> file of a LoRA; without <see cref="Lora"/> the folder of a model, whose defaults are the few steps.</summary>
    public required string Output { get; init; }

    /// <summary>The LoRA; null trains all weights of the transformer.</summary>
    public LoraConfig? Lora { get; init; }

    /// <summary>A file of prompts, one a line; null: captions of the drawn world.</summary>
    public string? Prompts { get; init; }

    /// <summary>
    /// Weights by which captions of the drawn world are drawn more or less often, by the names of subjects, scenes and motions, as in
    /// <see cref="FlowTrainingConfig.Emphasis"/>; those of the videos that are kept apart are as chance has them. Null: all alike. Not with <see
    /// cref="Prompts"/>.
    /// </summary>
    /// <value>Each 0.01 to 100.</value>
    public IReadOnlyDictionary<string, double>? Emphasis { get; init; }

    /// <summary>The number of videos that the teacher makes, of latents alone; prompts are taken in turn, each time with other noise.</summary>
    /// <value>1 to 1000000. Default 1000.</value>
    public int Videos { get; init => field = s_counts.Require("videos", value)!.Value; } = 1000;

    /// <summary>
    /// How many noises a video is tried with until the drawn world's own analysis finds in it what its caption says; the last is kept
    /// as it comes. 1 takes every video, unlooked at; more are for captions of the drawn world. The student then learns from the
    /// teacher's successes (as rewards choose what is learned in Dong et al. 2023, RAFT, arXiv 2304.06767).
    /// </summary>
    /// <value>1 to 100. Default 1.</value>
    public int Tries { get; init => field = s_few.Require("tries", value)!.Value; } = 1;

    /// <summary>Width in pixels; null: the model's.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels; null: the model's.</summary>
    public int? Height { get; init; }

    /// <summary>Frames; null: the model's.</summary>
    public int? FrameCount { get; init; }

    /// <summary>The steps that the result takes.</summary>
    /// <value>1 to 100. Default 4.</value>
    public int FewSteps { get; init => field = s_few.Require("few_steps", value)!.Value; } = 4;

    /// <summary>The teacher's steps, a multiple of <see cref="FewSteps"/>.</summary>
    /// <value>2 to 1000. Default 20.</value>
    public int TeacherSteps { get; init => field = s_many.Require("teacher_steps", value)!.Value; } = 20;

    /// <summary>The teacher's guidance, which the result has in its weights; null: the model's.</summary>
    /// <value>0 to 100, or null.</value>
    public float? GuidanceScale { get; init => field = s_guidance.Require("guidance_scale", value); }

    /// <summary>
    /// The folder of a weaker model of the same latents, such as an earlier state of the same training: the teacher is also moved away from it
    /// (autoguidance, Karras et al. 2024, arXiv 2406.02507). Null: it is not.
    /// </summary>
    public string? WeakerModel { get; init; }

    /// <summary>How far: w in v + (w − 1)·(v_prompt − v_weaker), of all channels. Null: 1.5. Not without <see cref="WeakerModel"/>.</summary>
    /// <value>1 to 100, or null.</value>
    public float? WeakerScale { get; init => field = s_weaker.Require("weaker_scale", value); }

    /// <summary>How far the steps of both are moved towards noise; null: the model's.</summary>
    /// <value>0.01 to 100, or null.</value>
    public float? Shift { get; init => field = s_shifts.Require("shift", value); }

    /// <summary>Optimiser steps.</summary>
    /// <value>1 to 10⁹. Default 2000.</value>
    public long Steps { get; init => field = s_steps.Require("steps", value)!.Value; } = 2000;

    /// <summary>Videos in a batch, of the teacher's as of training.</summary>
    /// <value>1 to 1000000. Default 4.</value>
    public int VideosPerStep { get; init => field = s_counts.Require("videos_per_step", value)!.Value; } = 4;

    /// <summary>The highest learning rate; null: 1e-4 for a LoRA, 1e-5 for all weights.</summary>
    /// <value>10⁻⁹ to 1, or null.</value>
    public double? LearningRate { get; init => field = s_rates.Require("learning_rate", value); }

    /// <summary>Steps until the highest learning rate.</summary>
    /// <value>1 to 1000000. Default 50.</value>
    public int WarmupSteps { get; init => field = s_counts.Require("warmup_steps", value)!.Value; } = 50;

    /// <summary>The memory of averaged weights, which are what is written; 0 writes the last ones.</summary>
    /// <value>0 to 1. Default 0.99.</value>
    public double AverageDecay { get; init => field = s_shares.Require("average_decay", value)!.Value; } = 0.99;

    /// <summary>In what the error of a step is measured.</summary>
    public LossSpace LossSpace { get; init; }

    /// <summary>Channels of the latent, before those of a map, that count less than the others; null: none.</summary>
    public DetailChannels? Details { get; init; }

    /// <summary>Whether the inside of blocks is computed again in the backward pass, which takes a fraction of the memory.</summary>
    public bool ActivationCheckpointing { get; init; } = true;

    /// <summary>The teacher's videos that are kept apart, to measure how near the result comes.</summary>
    /// <value>1 to 1000000. Default 8.</value>
    public int ValidationVideos { get; init => field = s_counts.Require("validation_videos", value)!.Value; } = 8;

    /// <summary>Steps between such measurements.</summary>
    /// <value>1 to 1000000. Default 200.</value>
    public int ValidationSteps { get; init => field = s_counts.Require("validation_steps", value)!.Value; } = 200;

    /// <summary>The device; null: CUDA where there is one.</summary>
    public string? Device { get; init; }

    /// <summary>The number format of a whole model's files.</summary>
    public WeightPrecision Precision { get; init; } = WeightPrecision.BF16;

    /// <summary>The seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 10;

    /// <summary>What loads the student and writes the result.</summary>
    internal FineTuningConfig Tuning => new()
    {
        Model = Model,
        RunFolder = RunFolder,
        Output = Output,
        Lora = Lora,
        ActivationCheckpointing = ActivationCheckpointing,
        Precision = Precision,
        Seed = Seed,
    };
}
