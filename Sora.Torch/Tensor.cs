namespace TorchSharp;

public static partial class torch
{
    /// <summary>A tensor of libtorch. Disposing it releases libtorch's reference; a dispose scope does so in bulk.</summary>
    public partial class Tensor : IDisposable
    {
        private static long s_totalCount;
        private static long s_peakCount;
        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            DisposeScope.Current?.Add(this);
            long count = Interlocked.Increment(ref s_totalCount);
            if (count > Volatile.Read(ref s_peakCount))
                Volatile.Write(ref s_peakCount, count);
        }

        /// <summary>Releases a tensor that nobody disposed.</summary>
        ~Tensor() => Release();

        /// <summary>How many tensors are alive in the process.</summary>
        public static long TotalCount => Interlocked.Read(ref s_totalCount);

        /// <summary>The most tensors that were alive at once.</summary>
        public static long PeakCount => Interlocked.Read(ref s_peakCount);

        /// <summary>libtorch's pointer.</summary>
        /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
        public nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Tensor));

        /// <summary>Whether the tensor has been disposed.</summary>
        public bool IsInvalid => _handle == 0;

        internal DisposeScope? Scope { get; set; }

        internal int ScopeIndex { get; set; }

        /// <summary>The length of each axis.</summary>
        public unsafe long[] shape
        {
            get
            {
                var sizes = new long[Native.sora_tensor_dim(Handle)];
                fixed (long* p = sizes)
                    Native.sora_tensor_sizes(Handle, p);
                return sizes;
            }
        }

        /// <summary>The distance between neighbours of each axis, in elements.</summary>
        public unsafe long[] stride()
        {
            var strides = new long[Native.sora_tensor_dim(Handle)];
            fixed (long* p = strides)
                Native.sora_tensor_strides(Handle, p);
            return strides;
        }

        /// <summary>The number of axes.</summary>
        public long ndim => Native.sora_tensor_dim(Handle);

        /// <summary>The number of elements.</summary>
        public long NumberOfElements => Native.sora_tensor_numel(Handle);

        /// <summary>The type of the elements.</summary>
        public ScalarType dtype => (ScalarType)Native.sora_tensor_dtype(Handle);

        /// <summary>Where the data is.</summary>
        public Device device => new((DeviceType)Native.sora_tensor_device_type(Handle), Native.sora_tensor_device_index(Handle));

        /// <summary>The kind of device that the data is on.</summary>
        public DeviceType device_type => (DeviceType)Native.sora_tensor_device_type(Handle);

        /// <summary>Whether operations on the tensor are recorded for the backward pass.</summary>
        public bool requires_grad
        {
            get => Native.sora_tensor_requires_grad(Handle) != 0;
            set => Native.Check(Native.sora_tensor_set_requires_grad(Handle, value ? 1 : 0));
        }

        /// <summary>The gradient that backward accumulated; null when there is none.</summary>
        public Tensor? grad
        {
            get => Native.sora_tensor_grad(Handle) is var g && g != 0 ? new Tensor(g) : null;
            set
            {
                Native.Check(Native.sora_tensor_set_grad(Handle, value is null ? 0 : value.Handle));
                GC.KeepAlive(value);
            }
        }

        /// <summary>The length of one axis; negative axes count from the end.</summary>
        public unsafe long size(int axis)
        {
            int count = Native.sora_tensor_dim(Handle);
            long* sizes = stackalloc long[count];
            Native.sora_tensor_sizes(Handle, sizes);
            int index = axis < 0 ? axis + count : axis;
            return (uint)index < (uint)count
                ? sizes[index]
                : throw new ArgumentOutOfRangeException(nameof(axis), axis, $"The tensor has {count} axes.");
        }

        /// <summary>The number of axes.</summary>
        public long dim() => ndim;

        /// <summary>The number of elements.</summary>
        public long numel() => NumberOfElements;

        /// <summary>Whether the elements lie in memory in the order of the axes, without gaps.</summary>
        public bool is_contiguous() => Native.sora_tensor_is_contiguous(Handle) != 0;

        /// <summary>Accumulates the gradients of every leaf that this scalar depends on.</summary>
        public void backward()
        {
            Native.Check(Native.sora_backward(Handle, 0));
            GC.KeepAlive(this);
        }

        /// <summary>Sets <see cref="requires_grad"/> and returns the tensor.</summary>
        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        /// <summary>The data of a contiguous tensor on the host, in place; valid while the tensor lives.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                RequireHost();
                return new Span<byte>(Native.sora_tensor_data(Handle), checked((int)(NumberOfElements * ElementSize)));
            }

            set
            {
                if (value.Length != NumberOfElements * ElementSize)
                    throw new ArgumentException($"The tensor has {NumberOfElements * ElementSize} bytes, not {value.Length}.");
                value.CopyTo(bytes);
            }
        }

        /// <summary>The size of one element in bytes.</summary>
        public long ElementSize => dtype switch
        {
            ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
            ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
            ScalarType.Int32 or ScalarType.Float32 => 4,
            _ => 8,
        };

        /// <summary>The elements of a tensor on the host.</summary>
        /// <exception cref="ArgumentException"><typeparamref name="T"/> is not the tensor's element type.</exception>
        public Utils.TensorAccessor<T> data<T>() where T : unmanaged => new(this);

        /// <summary>The value of a tensor of one element.</summary>
        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1)
                throw new ArgumentException($"item() wants one element; the tensor has {NumberOfElements}.");
            using Tensor host = cpu();
            return host.data<T>()[0];
        }

        /// <summary>Moves the tensor to the scope around its own.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            DisposeScope.Move(this, Scope?.Outer);
            return this;
        }

        /// <summary>Takes the tensor out of its scope; the caller disposes it.</summary>
        public Tensor DetachFromDisposeScope()
        {
            DisposeScope.Move(this, null);
            return this;
        }

        /// <summary>Releases libtorch's reference.</summary>
        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        /// <summary>Releases libtorch's reference.</summary>
        protected virtual void Dispose(bool disposing)
        {
            Scope?.Remove(this);
            Release();
        }

        /// <summary>Takes the pointer away from this object, which is then as good as disposed.</summary>
        internal nint MoveHandle()
        {
            nint handle = Handle;
            Scope?.Remove(this);
            _handle = 0;
            Interlocked.Decrement(ref s_totalCount);
            return handle;
        }

        internal void RequireHost()
        {
            if (device_type != DeviceType.CPU || !is_contiguous())
                throw new InvalidOperationException("The data can be read in place only from a contiguous tensor on the host.");
        }

        private void Release()
        {
            nint handle = Interlocked.Exchange(ref _handle, 0);
            if (handle == 0)
                return;
            Interlocked.Decrement(ref s_totalCount);
            Native.sora_tensor_release(handle);
        }
    }
}
