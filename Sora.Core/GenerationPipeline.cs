using Sora.Conditioning;
using Sora.Continuation;
using Sora.Drafts;
using Sora.Frames;
using Sora.Latents;
using Sora.Layers;
using Sora.Patches;
using Sora.Previews;
using Sora.Regions;
using Sora.Sampling;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;

namespace Sora;

/// <summary>
/// The path of a packed batch of videos: texts, given frames, noise, velocity, latents, frames. The videos take it side by side and
/// are decoded one after the other. Dispose scopes belong to a thread, so all of it runs on one.
/// </summary>
/// <param name="model">The networks.</param>
/// <param name="clock">Told the stages, the steps and the notes.</param>
/// <param name="cancellationToken">Honoured within one step or one decoded chunk.</param>
internal sealed class GenerationPipeline(ModelComponents model, StageClock clock, CancellationToken cancellationToken)
{
    private readonly OverflowRetry _retry = new(model.RetriesInFloat32, clock);
    private readonly ModelLimits _limits = model.Limits;

    /// <summary>Generates a batch.</summary>
    /// <param name="requests">Resolved requests that can run together; one of several windows runs alone.</param>
    /// <param name="speed">The tiles to decode in, and where to count what the step caches skip.</param>
    /// <returns>The frames of the first video, then those of the second, and so on, with the place of their request.</returns>
    public IEnumerable<(int Video, VideoFrame Frame)> Run(VideoRequest[] requests, SpeedRecord speed)
    {
        set_num_threads(model.Threads);
        foreach (string note in (string[])[.. model.TakeNotes(), .. model.LoraNotes])
            clock.Note(note);
        IEnumerable<(int Video, VideoFrame Frame)> frames = requests is [{ IsInWindows: true } request]
            ? RunWindows(request, speed).Select(frame => (0, frame))
            : RunTogether(requests, speed);
        // Where a loop begins is chosen when all its frames are there.
        if (requests.Any(one => one.Loop))
        {
            frames = frames.GroupBy(one => one.Video)
                .SelectMany(video => (requests[video.Key].Loop ? LoopStart.AtLeastMotion(video.Select(one => one.Frame)) : video.Select(one => one.Frame)).Select(frame => (video.Key, frame)));
        }
        foreach ((int, VideoFrame) frame in frames)
            yield return frame;
        speed.Note(clock);
    }

    // Window after window, each going on from the one before.
    private IEnumerable<VideoFrame> RunWindows(VideoRequest request, SpeedRecord speed)
    {
        using IDisposable noGradients = no_grad();
        int count = WindowPlan.Of(request, _limits).Count(), index = 0;
        using var link = new WindowLink(request.FrameCount!.Value, Math.Max(1, WindowPlan.Of(request, _limits).Max(window => window.Known)), _limits.TemporalStride, speed.Tiles[0], _retry.Covers(model.Vae));
        using DisposeScope scope = NewDisposeScope();
        string[] prompts = [.. request.LaterPrompts.Select(later => later.Prompt).Prepend(request.Prompt).Distinct()];
        PromptVectors[] texts = EncodeTexts([.. prompts.Select(prompt => request with { Prompt = prompt })], ofOneVideo: true);
        foreach (VideoWindow window in WindowPlan.Of(request, _limits))
        {
            clock.BeginWindow(index++, count);
            link.Begin(window);
            PromptVectors[] text = [texts[Array.IndexOf(prompts, window.Prompt)]];
            foreach ((_, VideoFrame frame) in RunTogether([window.RequestOf(request, _limits.TemporalStride, link.Tail)], speed, text, link))
            {
                if (frame.Index >= window.EndFrame)
                    continue;
                link.Keep(frame);
                yield return frame;
            }
        }
    }

    private IEnumerable<(int Video, VideoFrame Frame)> RunTogether(VideoRequest[] requests, SpeedRecord speed, PromptVectors[]? known = null, WindowLink? link = null)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        PromptVectors[] texts = known ?? EncodeTexts(requests, ofOneVideo: false);
        cancellationToken.ThrowIfCancellationRequested();
        Tensor? lead = null;
        if (requests is [{ Draft: not null } drafted])
        {
            VideoRequest[] draft = [DraftedRequest.DraftOf(drafted, _limits)];
            SpeedRecord own = SpeedRecord.Of(draft, model) with { Cache = speed.Cache };
            Tensor[] drawn = Denoise(draft, texts, own, null, null);
            requests = [DraftedRequest.RefinementOf(drafted, [.. Decode(draft, drawn, own, null).Select(one => one.Frame)])];
            if (model.Folder.Scheduler.Lead is { } channels)
                lead = SourceLead.Resize(drawn[0], channels, LatentShape.Of(requests[0], model.Folder.Vae));
        }
        Tensor[] latents = Denoise(requests, texts, speed, link, lead);
        foreach ((int, VideoFrame) frame in Decode(requests, latents, speed, link))
            yield return frame;
    }

    // Latents [1, C, t, h, w] of each video, normalised. The leading channels of the first one's source may be known.
    private Tensor[] Denoise(VideoRequest[] requests, PromptVectors[] texts, SpeedRecord speed, WindowLink? link, Tensor? sourceLead)
    {
        using DisposeScope scope = NewDisposeScope();
        PreviewedData? preview = model.PreviewEvery is { } every ? new(every, model.PreviewColours(clock)) : null;
        Tensor[] noise = [.. requests.Select(NoiseOf)];                                   // 1 C t h w each
        using GivenLatents given = EncodeFrames(requests, noise, speed, link);
        cancellationToken.ThrowIfCancellationRequested();

        using ISolver solver = BatchSolver.Of(requests, model.Folder, model.Device);
        int start = SourceNoise.FirstStep(solver.Schedule, requests[0].Strength ?? 1);
        SourceLead? lead = sourceLead is null ? SourceLead.Before(start, solver.Schedule, model.Folder.Scheduler.Lead) : null;
        int before = lead?.Steps ?? 0, evaluations = before + solver.Evaluations(start);
        var packed = new PackedSamples(noise);
        EngineMemory.ReleaseUnused(); // What a stage leaves with the allocator is not the next one's.
        clock.Begin(GenerationStage.Denoising, evaluations);
        Tensor sample;
        using (ExpertVelocity experts = VelocityOf(requests, texts, given, noise, speed.Cache))
        {
            Tensor[] beginnings = lead?.Draw(experts.Predict, given.Sources, noise, NoiseOfStep, done => clock.Report(done, evaluations), cancellationToken)
                ?? [.. noise.Select((own, i) => given.Sources[i] is { } source ? SourceNoise.Add(SourceLead.Put(sourceLead, source), own, solver.Schedule, start) : own)];
            Velocity velocity = packed.Around(experts.Predict);
            sample = FlowSampler.Sample(
                preview?.Around(velocity, Finish) ?? velocity, packed.Join(beginnings), solver,
                done => clock.Report(before + done, evaluations, preview?.Take()), start, cancellationToken);
        }
        Tensor[] latents = [.. Finish(sample).Select(latent => scope.MoveToOuter(Finite.Require(latent, "The transformer")))];
        link?.Keep(latents[0]);
        cancellationToken.ThrowIfCancellationRequested();
        return latents;

        Tensor NoiseOfStep(int step, int video) => RequestNoise.OfStep(step, requests[video], LatentShape.Of(requests[video], model.Folder.Vae), model.Device);

        // The latents to decode, from samples after some step.
        Tensor[] Finish(Tensor samples) => [.. packed.Split(samples).Select((one, i) => given.Conditionings[i].Finish(one))];
    }

    private IEnumerable<(int Video, VideoFrame Frame)> Decode(VideoRequest[] requests, Tensor[] latents, SpeedRecord speed, WindowLink? link)
    {
        int decoded = link?.Window.FirstFrame ?? 0, frameCount = link?.FrameCount ?? requests.Sum(request => VideoTimes.Of(request).Frames(request.FrameCount!.Value));
        EngineMemory.ReleaseUnused();
        clock.Begin(GenerationStage.Decoding, frameCount, decoded);
        for (int i = 0; i < requests.Length; i++)
        {
            VideoRequest request = requests[i];
            SpatialTiles tiles = speed.Tiles[i];
            int first = link is null ? decoded : 0;
            MaskComposite? composite = MaskComposite.Of(request);
            Tensor restored = model.Normalizer.Restore(latents[i]);
            IEnumerable<Tensor> Chunks(VideoAutoencoder vae) => link is not null ? link.DecodeChunks(vae, restored) : VideoTimes.Of(request).DecodeChunks(vae, restored, tiles);
            foreach (Tensor chunk in _retry.Chunks(model.Vae, "The video decoder", Chunks)) // 1 3 ≤4 H W
            {
                using (chunk)
                {
                    foreach (VideoFrame frame in FrameTensors.ToFrames(chunk, decoded - first, request.FramesPerSecond!.Value))
                        yield return (i, composite?.Apply(frame) ?? frame);
                    decoded += (int)chunk.size(2);
                }
                clock.Report(Math.Min(decoded, frameCount), frameCount);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    // The vectors of each request's prompt and negative prompt, which without guidance are not read. A text is encoded once.
    private PromptVectors[] EncodeTexts(VideoRequest[] requests, bool ofOneVideo)
    {
        clock.Begin(GenerationStage.EncodingText);
        return _retry.Run(model.TextEncoder, encoder =>
        {
            var prompts = new PromptEncoder(model.Tokenizer, encoder, model.Folder.Defaults.MaxSequenceLength, model.Device);
            var known = new Dictionary<string, (Tensor Vectors, string? Note)>(StringComparer.Ordinal);
            return requests.Select((request, i) =>
            {
                (Tensor text, string? note) = Encode(request.Prompt);
                if (note is not null)
                    clock.Note(note, ofOneVideo ? 0 : i);
                return new PromptVectors(text, Guidance.BranchesOf(request) > 1 ? Encode(request.NegativePrompt!).Vectors : text);
            }).ToArray();

            (Tensor Vectors, string? Note) Encode(string prompt)
            {
                if (known.TryGetValue(prompt, out (Tensor, string?) found))
                    return found;
                cancellationToken.ThrowIfCancellationRequested();
                string? note = null;
                Tensor vectors = Finite.Require(prompts.Encode(prompt, tokens => note = CutNote.Of(tokens)), "The text encoder");
                return known[prompt] = (vectors, note);
            }
        });
    }

    private Tensor NoiseOf(VideoRequest request)
    {
        LatentShape shape = LatentShape.Of(request, model.Folder.Vae);
        return request.Noise is { } given
            ? tensor(given.ToArray(), [1, shape.C, shape.T, shape.H, shape.W]).to(model.Device)
            : RequestNoise.Create(request, shape, model.Device);
    }

    // How known frames take part, and the sources' latents.
    private GivenLatents EncodeFrames(VideoRequest[] requests, Tensor[] noise, SpeedRecord speed, WindowLink? link)
    {
        if (link is not { CarriedCount: > 0 } && requests.All(request => request.KnownFrames.Count == 0 && request.Source is null))
        {
            var none = new GivenLatents();
            foreach (VideoRequest _ in requests)
                none.Add(new NoConditioning(), null);
            return none;
        }
        clock.Begin(GenerationStage.EncodingFrames);
        Tensor?[] images = [.. requests.Select(request => model.ImageEncoder is null || model.Folder.Transformer.ImageDim is null ? null : EncodeImages(model.ImageEncoder, request.KnownFrames))]; // images L D each
        return _retry.Run(model.Vae, vae =>
        {
            var given = new GivenLatents();
            try
            {
                for (int i = 0; i < requests.Length; i++)
                {
                    VideoRequest request = requests[i];
                    var encoder = new FrameEncoder(vae, model.Normalizer, model.Device, speed.Tiles[i], cancellationToken);
                    Tensor? source = request.Source is { } video ? encoder.Encode(video, request.Width!.Value, request.Height!.Value) : null;
                    KnownRegion? kept = request.Mask is { } mask ? new(source!, KeptCells.Of(mask, LatentShape.Of(request, model.Folder.Vae), model.Folder.TemporalStride)) : null;
                    given.Add(
                        Conditionings.Create(model.Folder, request.KnownFrames, noise[i], encoder, images[i], kept, link is { CarriedCount: > 0 } ? link.Carried() : null, link?.CarriedAt ?? 0),
                        source);
                }
                return given;
            }
            catch
            {
                given.Dispose();
                throw;
            }
        });
    }

    // What the image encoder makes of known frames, the first in time first.
    private Tensor EncodeImages(ModelPart<ClipVisionEncoder> part, IEnumerable<KnownFrame> known)
    {
        using DisposeScope scope = NewDisposeScope();
        VideoFrame[] frames = [.. known.OrderBy(frame => frame.Index).Select(frame => frame.Frame)];
        Tensor pixels = new ClipImageProcessor(model.Folder.ImageProcessor!).Process(frames, model.Device);
        return scope.MoveToOuter(_retry.Run(part, encoder => Finite.Require(encoder.Encode(pixels), "The image encoder")));
    }

    private ExpertVelocity VelocityOf(VideoRequest[] requests, PromptVectors[] texts, GivenLatents given, Tensor[] noise, StepCacheCount skipped) =>
        new(model.Experts, clock, _retry, (network, expert) => new(
            network,
            [.. requests.Select((request, i) => new GuidedVideo(
                Guidance.Of(request)[expert], texts[i].Text, texts[i].Negative, Patchify.GridOf(noise[i], network.Config.PatchSize),
                given.Conditionings[i], VideoTimes.Of(request)))],
            model.Device, model.Folder.Scheduler.Prediction,
            requests[0].StepCache is > 0 and var change ? () => new StepCache(change, skipped) : null));

    // [1, L, D] each.
    private readonly record struct PromptVectors(Tensor Text, Tensor Negative);
}
