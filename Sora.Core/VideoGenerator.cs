using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sora.Frames;
using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Transformer;
using Sora.Weights;

namespace Sora;

/// <summary>Generates videos from text with a model folder. One generation runs at a time; further ones wait.</summary>
public sealed class VideoGenerator : IDisposable
{
    private readonly ModelComponents _model;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _disposing = new();

    private VideoGenerator(ModelComponents model) => _model = model;

    /// <summary>The sizes that the model can make, and what it makes by default.</summary>
    public ModelLimits Limits => _model.Folder.Limits;

    /// <summary>Reads what a model can make from its configs, without loading weights.</summary>
    /// <exception cref="SoraException">The folder is missing or damaged.</exception>
    public static ModelLimits ReadLimits(string modelFolder) => ModelFolder.Open(modelFolder).Limits;

    /// <summary>Loads a model folder in the diffusers layout.</summary>
    /// <param name="modelFolder">The folder with <c>model_index.json</c>.</param>
    /// <param name="options">Device, precision and threads; null: the defaults.</param>
    /// <param name="progress">Told the components as they load.</param>
    /// <param name="cancellationToken">Honoured between components.</param>
    /// <exception cref="SoraException">The folder, a file or the device cannot be used; the message says why.</exception>
    public static Task<VideoGenerator> LoadAsync(string modelFolder, VideoGeneratorOptions? options = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => new VideoGenerator(ModelComponents.Load(modelFolder, options ?? new(), progress, cancellationToken)), cancellationToken);

    /// <summary>Generates a video.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for.</exception>
    public async Task<GeneratedVideo> GenerateAsync(VideoRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        VideoRequest resolved = request.Resolve(Limits);
        var clock = new StageClock(progress);
        var notes = new List<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<VideoFrame> frames = await Task.Run(() => Generate(resolved, clock, notes, stop.Token).ToList(), stop.Token).ConfigureAwait(false);
            return new(resolved, frames, clock.Timings, notes);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Generates a video and gives its frames as they are decoded.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
    /// <exception cref="SoraException">The model cannot make what is asked for.</exception>
    public async IAsyncEnumerable<VideoFrame> StreamAsync(VideoRequest request, IProgress<GenerationProgress>? progress = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        VideoRequest resolved = request.Resolve(Limits);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        // A few frames ahead of the reader, no more: memory does not grow with the video.
        var frames = Channel.CreateBounded<VideoFrame>(8);
        await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        Task producer = Task.Run(() => Produce(resolved, progress, frames.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (VideoFrame frame in frames.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return frame;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await producer.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Cancels the generation that runs, waits for its end, which is within one step or one decoded chunk, and frees the
    /// model. Not to be called from a progress report.
    /// </summary>
    public void Dispose()
    {
        _disposing.Cancel();
        _turn.Wait();
        _model.Dispose();
        _turn.Release();
    }

    /// <exception cref="ObjectDisposedException">The generator is disposed.</exception>
    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_disposing.IsCancellationRequested)
            return;
        _turn.Release();
        throw new ObjectDisposedException(nameof(VideoGenerator));
    }

    // The path of a video: text, noise, velocity, latent, frames. Dispose scopes belong to a thread, so it runs on one.
    private IEnumerable<VideoFrame> Generate(VideoRequest request, StageClock clock, List<string> notes, CancellationToken cancellationToken)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        set_num_threads(_model.Threads);

        clock.Begin(GenerationStage.EncodingText);
        Tensor text = Finite.Require(_model.Prompts.Encode(request.Prompt, tokens => notes.Add(CutNote.Of(tokens))), "The text encoder");
        var guidance = new Guidance(request.GuidanceScale!.Value, request.GuidanceInterval, request.GuidanceRescale!.Value);
        Tensor negative = guidance.IsOn ? _model.Prompts.Encode(request.NegativePrompt!) : text; // 1 L D
        cancellationToken.ThrowIfCancellationRequested();

        LatentShape shape = LatentShape.Of(request, _model.Vae.Config);
        Tensor noise = LatentNoise.Create(shape, request.Seed!.Value, _model.Device);     // 1 C t h w
        PatchGrid grid = Patchify.GridOf(noise, _model.Transformer.Config.PatchSize);
        using var velocity = new GuidedVelocity(_model.Transformer, guidance, text, negative, grid, _model.Device);
        using ISolver solver = Solvers.Create(
            request.Sampler!.Value, request.Steps!.Value, request.Shift!.Value, _model.Folder.Scheduler,
            noise: step => LatentNoise.OfStep(step, shape, request.Seed.Value, _model.Device));
        clock.Begin(GenerationStage.Denoising, solver.Evaluations());
        Tensor latent = FlowSampler.Sample(velocity.Predict, noise, solver, done => clock.Report(done, solver.Evaluations()), cancellationToken: cancellationToken);
        Finite.Require(latent, "The transformer");                                        // 1 C t h w
        cancellationToken.ThrowIfCancellationRequested();

        clock.Begin(GenerationStage.Decoding, request.FrameCount!.Value);
        int decoded = 0;
        foreach (Tensor chunk in _model.Vae.DecodeChunks(_model.Normalizer.Restore(latent))) // 1 3 ≤4 H W
        {
            using (chunk)
            {
                foreach (VideoFrame frame in FrameTensors.ToFrames(Finite.Require(chunk, "The video decoder"), decoded, request.FramesPerSecond!.Value))
                    yield return frame;
                decoded += (int)chunk.size(2);
            }
            clock.Report(decoded, request.FrameCount.Value);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Produce(VideoRequest request, IProgress<GenerationProgress>? progress, ChannelWriter<VideoFrame> frames, CancellationToken cancellationToken)
    {
        try
        {
            foreach (VideoFrame frame in Generate(request, new StageClock(progress), [], cancellationToken))
                frames.WriteAsync(frame, cancellationToken).AsTask().GetAwaiter().GetResult();
            frames.Complete();
        }
        catch (Exception e)
        {
            // The reader of the channel gets the exception.
            frames.Complete(e);
        }
        finally
        {
            // Here and not where the frames are read: nobody may be reading any more.
            _turn.Release();
        }
    }
}
