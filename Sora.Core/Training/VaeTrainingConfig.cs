using Sora.Training.Data;
using Sora.Weights;

namespace Sora.Training;

/// <summary>How the video autoencoder is trained.</summary>
public sealed record VaeTrainingConfig
{
    private static readonly ValueRange<int> Batches = new(1, 65536);
    private static readonly ValueRange<double> Weights = new(0, 100);
    private static readonly ValueRange<int> Rates = new(1, 240);
    private static readonly ValueRange<double> Shares = new(0, 1);

    /// <summary>The network.</summary>
    public required AutoencoderKLWanConfig Vae { get; init; }

    /// <summary>Where checkpoints and the log go.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Where the finished component is written.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>What is trained on: the drawn world, or a folder of videos and images; captions are not read.</summary>
    public TrainingData Data { get; init; } = TrainingData.World;

    /// <summary>The sizes and lengths of a folder's clips; null: areas up to 128 × 128, 5 to 17 frames, and pictures. Not with the drawn world.</summary>
    public ClipShapes? Shapes { get; init; }

    /// <summary>Frames a second at which a folder's videos are trained on.</summary>
    /// <value>1 to 240. Default 8.</value>
    public int FramesPerSecond { get; init => field = Rates.Require("frames_per_second", value)!.Value; } = 8;

    /// <summary>
    /// A trained component to begin with; null begins with random weights. A checkpoint in the run folder goes before it. Its latent may have
    /// fewer channels: those that are more come after its own, and the decoder does not read them at first.
    /// </summary>
    public string? StartFolder { get; init; }

    /// <summary>Optimiser steps.</summary>
    public long Steps { get; init; } = 6000;

    /// <summary>Pixels in all clips of a batch together. Of a folder a batch is one clip, which has at most as many.</summary>
    public long PixelsPerStep { get; init; } = 300_000;

    /// <summary>Batches whose gradients make one step; each has all the pixels of a step.</summary>
    public int Accumulation { get; init => field = Batches.Require("accumulation", value)!.Value; } = 1;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The weight of the divergence from a normal distribution, for each latent value.</summary>
    public double KlWeight { get; init; } = 1e-4;

    /// <summary>The weight of the squared error of pixels, beside 1 for the absolute error. PSNR is a function of the squared one.</summary>
    /// <value>0 to 100. Default 0.5.</value>
    public double SquaredWeight { get; init => field = Weights.Require("squared_weight", value)!.Value; } = 0.5;

    /// <summary>The weight of 1 − SSIM (<see cref="StructuralSimilarity"/>), which sees structure that the error of single pixels blurs.</summary>
    /// <value>0 to 100. Default 0.</value>
    public double SimilarityWeight { get; init => field = Weights.Require("similarity_weight", value)!.Value; }

    /// <summary>
    /// Whether the decoder alone is trained, the encoder and the latents' statistics staying those of <see cref="StartFolder"/>: a
    /// transformer that was trained on the latents goes on to fit.
    /// </summary>
    public bool DecoderOnly { get; init; }

    /// <summary>
    /// The weight of the mean squared distance, in deviations of a channel, of the means from those of <see cref="StartFolder"/>'s encoder, in its
    /// channels: a transformer that was trained on its latents goes on to fit what it reads, while channels that are more learn what is new. The statistics
    /// of these channels stay those of the start, too.
    /// </summary>
    /// <value>0 to 100. Default 0: the latents go where they go.</value>
    public double KeepLatents { get; init => field = Weights.Require("keep_latents", value)!.Value; }

    /// <summary>The share of steps in which the decoder does not see the linear code, if the network has one: with it its picture is complete, and without it to be as good as the network can draw it.</summary>
    /// <value>0 to 1. Default 0.3.</value>
    public double LinearCodeDropout { get; init => field = Shares.Require("linear_code_dropout", value)!.Value; } = 0.3;

    /// <summary>The share of steps in which latents and pixels are halved alike, so that latents follow scale (EQ-VAE).</summary>
    public double EquivarianceShare { get; init; }

    /// <summary>The seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 3;

    /// <summary>Steps between validations; 0 validates by the clock alone.</summary>
    public long ValidationSteps { get; init; } = 500;

    /// <summary>Minutes between validations; 0 validates by steps alone.</summary>
    public double ValidationMinutes { get; init; }
}
