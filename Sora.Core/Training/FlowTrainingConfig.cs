using Sora.Sampling;
using Sora.Training.Data;
using Sora.Weights;
using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>How the transformer and its text encoder are trained.</summary>
public sealed record FlowTrainingConfig
{
    private static readonly ValueRange<int> Batches = new(1, 65536);
    private static readonly ValueRange<double> s_shares = new(0, 1);
    private static readonly ValueRange<double> s_rates = new(0, 100);
    private static readonly ValueRange<double> s_memories = new(0, 0.999999);

    /// <summary>The denoiser.</summary>
    public required WanTransformerConfig Transformer { get; init; }

    /// <summary>The text encoder, trained with it.</summary>
    public required UMT5Config TextEncoder { get; init; }

    /// <summary>The finished autoencoder's folder.</summary>
    public required string VaeFolder { get; init; }

    /// <summary>Where checkpoints, latents and the log go.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The model folder that is written.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>What is trained on: the drawn world, or a folder of videos and images.</summary>
    public TrainingData Data { get; init; } = TrainingData.World;

    /// <summary>
    /// The sizes and lengths that clips may have: drawn for clips of the world, an upper limit for those of a folder, which
    /// have their own. Null: clips of the world all have <see cref="Shape"/>, those of a folder the limits' defaults.
    /// </summary>
    public ClipShapes? Shapes { get; init; }

    /// <summary>The share of captions that are detailed, where a clip has one.</summary>
    /// <value>0 to 1. Default 0.</value>
    public double DetailedShare { get; init => field = s_shares.Require("detailed_share", value)!.Value; }

    /// <summary>Where the latents of clips of different shapes are kept; null: <c>latents</c> in the run folder.</summary>
    public string? LatentFolder { get; init; }

    /// <summary>The largest clip; shorter ones are its beginnings. Not read where <see cref="Shapes"/> or a folder is given, except as the model's default size.</summary>
    public ClipShape Shape { get; init; } = new(64, 64, 17);

    /// <summary>Frames a second.</summary>
    public int FramesPerSecond { get; init; } = 8;

    /// <summary>The number of clips whose latents are kept.</summary>
    public int Clips { get; init; } = 16000;

    /// <summary>The number of single pictures whose latents are kept besides.</summary>
    public int Pictures { get; init; } = 32000;

    /// <summary>The share of steps on pictures: shapes are learned from them at a fraction of a clip's cost.</summary>
    /// <value>0 to 1. Default 0.5.</value>
    public double PictureShare { get; init => field = s_shares.Require("picture_share", value)!.Value; } = 0.5;

    /// <summary>Close-ups of the drawn world's subjects, learned from besides whole pictures; null: none. Not with <see cref="Shapes"/>.</summary>
    public CloseUps? CloseUps { get; init; }

    /// <summary>Clips of the drawn world in shapes of their own, besides those of <see cref="Shape"/>; null: none. Not with <see cref="Shapes"/>.</summary>
    public NativeClips? Native { get; init; }

    /// <summary>
    /// Weights by which clips of the drawn world are drawn more or less often, by the names of subjects, scenes and motions; what is
    /// not named has 1, and a clip's weights multiply. Null: all alike. Not with <see cref="Shapes"/>.
    /// </summary>
    /// <value>Each 0.01 to 100.</value>
    public IReadOnlyDictionary<string, double>? Emphasis { get; init; }

    /// <summary>
    /// The share of clips of the drawn world whose subject is tilted, where it does not spin; their captions say so (<see cref="SpriteWorldConfig.TiltedShare"/>).
    /// Not with <see cref="Shapes"/>.
    /// </summary>
    /// <value>0 to 1. Default 0.</value>
    public double TiltedShare { get; init => field = s_shares.Require("tilted_share", value)!.Value; }

    /// <summary>A model folder to begin with; null begins with random weights. A checkpoint in the run folder goes before it.</summary>
    public string? StartFolder { get; init; }

    /// <summary>Optimiser steps.</summary>
    public long Steps { get; init; } = 5000;

    /// <summary>Patches in all clips of a step together.</summary>
    public int TokensPerStep { get; init; } = 5120;

    /// <summary>The longest text in tokens.</summary>
    public int MaxTextLength { get; init; } = 40;

    /// <summary>Batches whose gradients make one step; each has all the tokens of a step.</summary>
    public int Accumulation { get; init => field = Batches.Require("accumulation", value)!.Value; } = 1;

    /// <summary>The highest learning rate of matrices; other parameters have <see cref="EmbeddingRate"/> of it.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>
    /// The learning rate of what is not a matrix inside a network (embeddings, heads, norms, vectors), as a share of <see cref="LearningRate"/>.
    /// </summary>
    /// <value>0 to 100. Default 0.5.</value>
    public double EmbeddingRate { get; init => field = s_rates.Require("embedding_rate", value)!.Value; } = 0.5;

    /// <summary>The share of clips without a caption, from which guidance learns the unconditional flow.</summary>
    /// <value>0 to 1. Default 0.1.</value>
    public double CaptionDropout { get; init => field = s_shares.Require("caption_dropout", value)!.Value; } = 0.1;

    /// <summary>The probability with which each word of a caption is left out.</summary>
    /// <value>0 to 1. Default 0.</value>
    public double WordDropout { get; init => field = s_shares.Require("word_dropout", value)!.Value; }

    /// <summary>In what the error is measured.</summary>
    public LossSpace LossSpace { get; init; }

    /// <summary>Channels of the latent that count less than the others; null: none.</summary>
    public DetailChannels? Details { get; init; }

    /// <summary>
    /// Whether the transformer draws, in channels of its own after those of the autoencoder, a map of what is where: which subject a cell shows,
    /// which point of its drawing, how it is turned. It plans with it (joint synthesis of image and features: Kouzelis et al. 2025, arXiv
    /// 2504.16064). For the drawn world, which knows the map exactly.
    /// </summary>
    public bool SemanticMap { get; init; }

    /// <summary>How many times as large as the autoencoder's channels the map's are, by which they are told earlier (<see cref="ChannelLead"/>).</summary>
    /// <value>1 to 1000. Default 1: at the same time.</value>
    public double MapGain { get; init => field = ChannelLead.Gains.Require("map_gain", value)!.Value; } = 1;

    /// <summary>What the transformer predicts.</summary>
    public FlowPrediction Prediction { get; init; } = FlowPrediction.Preconditioned;

    /// <summary>The noise levels.</summary>
    public NoiseLevels Noise { get; init; } = new(0.2, 1.1, 0.25, 0.15);

    /// <summary>The memory of the averaged weights: what is left of them after a step.</summary>
    /// <value>0 to 0.999999. Default 0.9985.</value>
    public double AverageDecay { get; init => field = s_memories.Require("average_decay", value)!.Value; } = 0.9985;

    /// <summary>The seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 5;

    /// <summary>Whether the backward pass computes the inside of each block again, which takes less memory and a third more operations.</summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>Steps between validations; 0 validates by the clock alone.</summary>
    public long ValidationSteps { get; init; } = 500;

    /// <summary>Minutes between validations; 0 validates by steps alone.</summary>
    public double ValidationMinutes { get; init; }

    /// <summary>
    /// The number of clips that are kept apart for validation; of a folder a tenth at most. 0 validates nothing.
    /// </summary>
    public int ValidationClips { get; init; } = 32;

    /// <summary>Checkpoints between pictures of samples; 0 makes none.</summary>
    public int SampleCheckpoints { get; init; }

    /// <summary>What the samples show, a row of the picture for each.</summary>
    public IReadOnlyList<string> SamplePrompts { get; init; } = [];

    /// <summary>The first sample's seed; the next has the next.</summary>
    public long SampleSeed { get; init; } = 1;

    /// <summary>Sampling steps of the samples; null takes the model's.</summary>
    public int? SampleSteps { get; init; }

    /// <summary>Whether the training validates at all.</summary>
    internal bool Validates => ValidationClips > 0 && (ValidationSteps > 0 || ValidationMinutes > 0);
}
