using Sora.Frames;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Sora.DocsSnippets;

internal static class StepByStep
{
    public static void Generate(string path, string prompt, string output)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelFolder folder = ModelFolder.Open(path);
        VideoRequest request = new VideoRequest(prompt) { Seed = 42 }.Resolve(folder.Limits);

        // The networks, in float32 on the processor.
        using var textEncoder = new UMT5Encoder(folder.TextEncoder, new CheckpointParameters(folder.TextEncoderPath, float32, CPU, CheckpointParameters.TextEncoderNames));
        using var transformer = new DiffusionTransformer(folder.Transformer, new CheckpointParameters(folder.TransformerPath, float32, CPU));
        using var vae = new VideoAutoencoder(folder.Vae, new CheckpointParameters(folder.VaePath, float32, CPU));
        using var normalizer = new LatentNormalizer(folder.Vae, CPU);

        // Text to vectors.
        var tokenizer = new PromptTokenizer(SentencePieceTokenizer.Load(folder.SentencePiecePath));
        var prompts = new PromptEncoder(tokenizer, textEncoder, folder.Defaults.MaxSequenceLength, CPU);
        Tensor text = prompts.Encode(request.Prompt);                                     // 1 L D
        Tensor negative = prompts.Encode(request.NegativePrompt!);                        // 1 L D

        // Noise to latent.
        Tensor noise = LatentNoise.Create(LatentShape.Of(request, vae.Config), request.Seed!.Value, CPU); // 1 C t h w
        PatchGrid grid = Patchify.GridOf(noise, transformer.Config.PatchSize);
        using var velocity = new GuidedVelocity(transformer, new Guidance(request.GuidanceScale!.Value), text, negative, grid, CPU, prediction: folder.Scheduler.Prediction);
        using ISolver solver = Solvers.Create(request.Sampler!.Value, request.Steps!.Value, request.Shift!.Value, folder.Scheduler);
        Tensor latent = FlowSampler.Sample(velocity.Predict, noise, solver);              // 1 C t h w

        // Latent to frames.
        using var writer = new VideoWriter(output, request.Width!.Value, request.Height!.Value, request.FramesPerSecond!.Value);
        foreach (Tensor chunk in vae.DecodeChunks(normalizer.Restore(latent)))            // 1 3 T H W, T = 1, then 4
        {
            using (chunk)
            {
                foreach (VideoFrame frame in FrameTensors.ToFrames(chunk, writer.FrameCount, request.FramesPerSecond.Value))
                    writer.Write(frame);
            }
        }
        writer.Complete();
    }
}
