/* The masking of WebSocket frames (RFC 6455, section 5.3) at the speed of memory.
 *
 * One function, websocket_mask(mask, data): octet i of the result is octet i of the data XOR octet i MOD 4 of the mask.
 * tornado4.util has the same in Python; nothing else needs this module, and it is built only where a C compiler is.
 *
 * Stable ABI of Python 3.11, the first that has the buffer protocol in it: one file serves that release and all later.
 */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define MASK_SIZE 4

/* Words are moved by memcpy: they may lie at any address, and compilers make one instruction of it. */
static void
xor_octets(unsigned char *to, const unsigned char *from, size_t size, const unsigned char *mask)
{
    uint64_t twice, word;
    size_t done = 0;

    memcpy(&twice, mask, MASK_SIZE);
    memcpy((unsigned char *)&twice + MASK_SIZE, mask, MASK_SIZE);
    for (; size - done >= sizeof word; done += sizeof word) {
        memcpy(&word, from + done, sizeof word);
        word ^= twice;
        memcpy(to + done, &word, sizeof word);
    }
    /* Whole words are whole masks: the rest begins with the mask's first octet. */
    for (; done < size; done++) {
        to[done] = from[done] ^ mask[done % MASK_SIZE];
    }
}

static PyObject *
mask_buffer(const Py_buffer *mask, const Py_buffer *data)
{
    PyObject *result;

    if (mask->len != MASK_SIZE) {
        /* Anything shorter would be read beyond its end (CVE-2026-49854). */
        return PyErr_Format(PyExc_ValueError, "mask must be 4 bytes, not %zd", mask->len);
    }
    result = PyBytes_FromStringAndSize(NULL, data->len);
    if (result != NULL && data->len > 0) {
        xor_octets((unsigned char *)PyBytes_AsString(result), data->buf, (size_t)data->len, mask->buf);
    }
    return result;
}

static PyObject *
websocket_mask(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer mask, data;
    PyObject *result = NULL;

    (void)module;
    if (count != 2) {
        return PyErr_Format(PyExc_TypeError, "websocket_mask() takes 2 arguments, mask and data (%zd given)", count);
    }
    if (PyObject_GetBuffer(args[0], &mask, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &data, PyBUF_SIMPLE) == 0) {
        result = mask_buffer(&mask, &data);
        PyBuffer_Release(&data);
    }
    PyBuffer_Release(&mask);
    return result;
}

PyDoc_STRVAR(websocket_mask_doc,
"websocket_mask(mask, data, /)\n"
"--\n"
"\n"
"``data`` XOR the four bytes of ``mask``, repeated (RFC 6455, section 5.3).\n"
"\n"
"Both are bytes, or other contiguous buffers. Raises ValueError for a mask of another length.");

static PyMethodDef functions[] = {
    {"websocket_mask", (PyCFunction)(void (*)(void))websocket_mask, METH_FASTCALL, websocket_mask_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "speedups",
    .m_doc = "What tornado4 has in C as well: the masking of WebSocket frames.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_speedups(void)
{
    return PyModuleDef_Init(&definition);
}
